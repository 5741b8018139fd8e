// Artifacts by a filter
// A filter over properties and neighbours: the good metrics of one run that are not known from another one already,
// with the models that were measured. Edit the two runs and the limit.
WITH 'run-2' AS wanted, 'run-1' AS known, 0.93 AS accuracy
MATCH (run:Context {type: 'Run', name: wanted} WHERE run.type_id IS NOT NULL)
WITH DISTINCT run, known, accuracy // so that it begins at the run, not at all the artifacts of that accuracy
MATCH (run)-[:ATTRIBUTION]->(metrics:Artifact {type: 'Metrics'} WHERE metrics.`properties.accuracy` > accuracy)
WHERE NOT EXISTS { (:Context {type: 'Run', name: known})-[:ATTRIBUTION]->(metrics) }
OPTIONAL MATCH (metrics)<-[made:OUTPUT]-(execution:Execution)<-[read:INPUT]-(model:Model)
RETURN metrics, made, execution, read, model
