// Artifacts of a type
// The artifacts of one type, the newest first. Edit the type in the first line.
WITH 'Model' AS type
MATCH (artifact:Artifact {type: type})
RETURN artifact
ORDER BY artifact.last_update_time_ms DESC, artifact.id DESC
LIMIT 100
