// Models never pushed
// The artifacts of a type that no execution of a certain type has read. Edit the two types.
WITH 'Model' AS type, 'Push' AS step
MATCH (model:Artifact {type: type})
WHERE NOT EXISTS { (model)-[:INPUT]->(:Execution {type: step}) }
RETURN model
ORDER BY model.id
LIMIT 100
