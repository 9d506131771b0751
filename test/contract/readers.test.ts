import { readersContract } from './readers.ts';
import { asArrays, asCsv, asObjects, asParquet, packed } from './record-tables.ts';

readersContract('CSV', asCsv);
readersContract('JSON lines of objects', asObjects);
readersContract('JSON lines of arrays', asArrays);
readersContract('Parquet', asParquet);
readersContract('Parquet in row groups of two', (table) => asParquet(table, 2));
readersContract('CSV in gzip', (table) => packed(asCsv(table)));
readersContract('JSON lines in gzip', (table) => packed(asObjects(table)));
