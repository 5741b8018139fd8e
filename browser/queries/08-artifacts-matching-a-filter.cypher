// Artifacts matching a filter over properties and neighbours
// The good metrics of one run that are not known from another one already, with the models that were measured.
// Edit the two runs and the limit.
WITH 'run-2' AS wanted, 'run-1' AS known, 0.93 AS accuracy
MATCH (:Context {type: 'Run', name: wanted})-[:ATTRIBUTION]->(metrics:Artifact {type: 'Metrics'})
WHERE metrics.`properties.accuracy` > accuracy
  AND NOT EXISTS { (:Context {type: 'Run', name: known})-[:ATTRIBUTION]->(metrics) }
OPTIONAL MATCH (metrics)<-[made:OUTPUT]-(execution:Execution)<-[read:INPUT]-(model:Model)
RETURN metrics, made, execution, read, model
