-- A database as version 0.1.0 left it before there were migrations: one finished run with two points, one that waits.
CREATE TABLE points (
	run_id VARCHAR(16) NOT NULL,
	seq INTEGER NOT NULL,
	series TEXT NOT NULL,
	x FLOAT NOT NULL,
	loss FLOAT,
	accuracy FLOAT,
	elapsed_s FLOAT NOT NULL,
	PRIMARY KEY (run_id, seq),
	FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
INSERT INTO points VALUES('c6831ad2f2ab4559',1,'train',1.0,0.5,0.75,1.5);
INSERT INTO points VALUES('c6831ad2f2ab4559',2,'validation',1.0,NULL,0.5,1.5);
CREATE TABLE runs (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	id VARCHAR(16) NOT NULL,
	kind VARCHAR(32) NOT NULL,
	spec TEXT NOT NULL,
	state VARCHAR(16) NOT NULL,
	created FLOAT NOT NULL,
	started FLOAT,
	finished FLOAT,
	heartbeat FLOAT,
	progress TEXT NOT NULL,
	result TEXT NOT NULL,
	error TEXT NOT NULL,
	seed INTEGER NOT NULL,
	versions TEXT NOT NULL,
	data_hash VARCHAR(64) NOT NULL,
	attempt INTEGER NOT NULL,
	name TEXT NOT NULL,
	note TEXT NOT NULL,
	stop_requested BOOLEAN NOT NULL,
	deleted FLOAT,
	worker TEXT NOT NULL,
	host TEXT NOT NULL,
	process TEXT NOT NULL,
	UNIQUE (id)
);
INSERT INTO runs VALUES(1,'c6831ad2f2ab4559','fine_tune','{"batch_size": 16, "data": {"per_class": 200, "seed": 0, "split": "standard", "target": "mnist_5_9"}, "kind": "fine_tune", "optimizer": "adam", "phases": [{"epochs": 10, "frozen": ["conv_1", "conv_2"], "learning_rate": 0.001}], "seed": 3, "source": "digits_0_4"}','done',1795369382.5,1795369382.75,1795369383.5,1795369382.75,'{}','{"test": {"accuracy": 0.84}}','',3,'{"python": "3.11.7", "numpy": "2.4.6"}','',1,'first','',0,NULL,'w','vm','vm:3419:1220036');
INSERT INTO runs VALUES(2,'c0e34aba0e8a025e','heads','{"curves": true, "data": {"per_class": 200, "seed": 0, "split": "standard", "target": "mnist_5_9"}, "heads": ["linear_svm", "random_forest"], "inputs": ["features"], "kind": "heads", "layer": "flatten", "seeds": [0], "source": "digits_0_4"}','queued',1795369384.0,NULL,NULL,NULL,'{}','{}','',0,'{}','',0,'second','',0,NULL,'','','');
CREATE INDEX ix_runs_state ON runs (state);
