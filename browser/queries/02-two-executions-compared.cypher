// Two executions compared
// State, parameters, inputs and outputs of two executions of one type, side by side; what differs comes first.
// Edit the type and the two names in the first lines.
WITH 'Train' AS type, 'run-1/train-large' AS left_name, 'run-2/train-large' AS right_name
MATCH (left:Execution {type: type, name: left_name} WHERE left.type_id IS NOT NULL)
MATCH (right:Execution {type: type, name: right_name} WHERE right.type_id IS NOT NULL)
UNWIND [left, right] AS execution
CALL (execution) {
  UNWIND [key IN keys(execution) WHERE key = 'last_known_state' OR key CONTAINS 'properties.'] AS key
  RETURN key AS field, execution[key] AS value
  UNION ALL
  MATCH (execution)-[event:INPUT|OUTPUT]-(artifact:Artifact)
  RETURN toLower(type(event)) + reduce(path = '', step IN event.path | path + ' ' + ltrim(step, "'")) AS field,
         coalesce(artifact.name, artifact.type + ' ' + artifact.id) AS value
}
WITH field, value, execution = left AS on_the_left ORDER BY value
WITH field, collect(CASE WHEN on_the_left THEN value END) AS left, collect(CASE WHEN NOT on_the_left THEN value END) AS right
RETURN field,
       CASE size(left) WHEN 1 THEN left[0] ELSE left END AS left,
       CASE size(right) WHEN 1 THEN right[0] ELSE right END AS right,
       left <> right AS differs
ORDER BY differs DESC, field
