/** PostgreSQL's advisory locks are numbers that everybody in a database shares: ours stand here, so that no two mean the same one. */
export const advisoryLocks = { auditSealer: 727_001, signingKeys: 727_002, chatflowSync: 727_003, peopleSync: 727_020, peopleSweep: 727_021, requestLogPartitions: 727_010 } as const;
