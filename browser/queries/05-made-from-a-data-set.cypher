// Made from a data set
// What was made from an artifact, and from that, and so on: what to make again when the data was wrong.
// Edit the type and the name of the data set.
WITH 'Table' AS type, 'run-1/raw' AS name
MATCH (data:Artifact {type: type, name: name} WHERE data.type_id IS NOT NULL)
MATCH (data)-[:INPUT|OUTPUT*0..]->(node)
WITH DISTINCT node
OPTIONAL MATCH (node)-[event:INPUT|OUTPUT]->(next)
RETURN node, event, next
