// How a model came to be
// Everything that an artifact was made from, back to the raw data, through the executions that did the work: those that
// only found a result again (CACHED) are left out. Edit the type and the name of the artifact.
WITH 'PushedModel' AS type, 'run-2/pushed' AS name
MATCH (model:Artifact {type: type, name: name} WHERE model.type_id IS NOT NULL)
MATCH path = (model)<-[:INPUT|OUTPUT*0..]-(node)
WHERE all(step IN nodes(path) WHERE coalesce(step.last_known_state, '') <> 'CACHED')
WITH DISTINCT node
OPTIONAL MATCH (node)<-[event:INPUT|OUTPUT]-(source)
  WHERE coalesce(source.last_known_state, '') <> 'CACHED'
RETURN node, event, source
