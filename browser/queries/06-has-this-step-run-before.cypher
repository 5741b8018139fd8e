// Has this step run before?
// The executions of a type that read exactly these artifacts, with these parameters, the newest first.
// Edit the type, the ids of the artifacts (here they are looked up by name) and the parameters.
MATCH (input:Artifact {type: 'Table', name: 'run-1/train'} WHERE input.type_id IS NOT NULL)
WITH 'Train' AS type, [input.id] AS inputs, {trees: 100, max_depth: 4, seed: 1} AS parameters
MATCH (:Artifact {id: inputs[0]})-[:INPUT]->(execution:Execution {type: type})
WHERE execution.last_known_state IN ['COMPLETE', 'CACHED']
  AND all(key IN keys(parameters) WHERE execution['properties.' + key] = parameters[key])
  AND COUNT { MATCH (execution)<-[:INPUT]-(read) RETURN DISTINCT read } = size(inputs)
  AND all(id IN inputs WHERE EXISTS { (execution)<-[:INPUT]-(:Artifact {id: id}) })
WITH DISTINCT execution
OPTIONAL MATCH (execution)-[made:OUTPUT]->(output)
RETURN execution, made, output
ORDER BY execution.create_time_ms DESC, execution.id DESC
