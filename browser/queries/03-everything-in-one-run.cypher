// Everything in one run
// The executions and artifacts of one run, and how data flows between them. Edit the type and the name of the run.
WITH 'Run' AS type, 'run-2' AS name
MATCH (run:Context {type: type, name: name} WHERE run.type_id IS NOT NULL)-[:ASSOCIATION|ATTRIBUTION]->(node)
OPTIONAL MATCH (node)-[event:INPUT|OUTPUT]->(next)
  WHERE EXISTS { (run)-[:ASSOCIATION|ATTRIBUTION]->(next) }
RETURN node, event, next
