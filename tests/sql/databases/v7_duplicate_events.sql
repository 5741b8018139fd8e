-- To v7.sql: events that are there twice, as two writers made them before version 8 forbade it.
INSERT INTO "Event" VALUES(100,2,2,1,5);
INSERT INTO "Event" VALUES(101,2,2,1,NULL);
INSERT INTO "Event" VALUES(102,2,2,2,7);
INSERT INTO "EventPath" VALUES(100,0,NULL,'old');
INSERT INTO "EventPath" VALUES(101,1,9,NULL);
INSERT INTO "EventPath" VALUES(101,0,NULL,'new');
UPDATE "sqlite_sequence" SET seq = 102 WHERE name = 'Event';
