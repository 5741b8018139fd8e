// What each run contains
// One line for each run of a pipeline: how many of its steps ran, how many were found again, how many failed, and its artifacts.
// Edit the type and the name of the pipeline.
WITH 'Pipeline' AS type, 'tumours' AS pipeline
MATCH (parent:Context {type: type, name: pipeline} WHERE parent.type_id IS NOT NULL)-[:PARENT]->(run:Context)
RETURN run.name AS name,
       run.`properties.note` AS note,
       COUNT { (run)-[:ASSOCIATION]->(:Execution {last_known_state: 'COMPLETE'}) } AS ran,
       COUNT { (run)-[:ASSOCIATION]->(:Execution {last_known_state: 'CACHED'}) } AS reused,
       COUNT { (run)-[:ASSOCIATION]->(:Execution {last_known_state: 'FAILED'}) } AS failed,
       COUNT { (run)-[:ATTRIBUTION]->() } AS artifacts
ORDER BY run.create_time_ms, run.id
