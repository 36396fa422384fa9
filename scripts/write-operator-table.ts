import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withOperatorTable } from './operator-table.ts';

const FILE = join(import.meta.dirname, '../docs/operators.md');
writeFileSync(FILE, withOperatorTable(readFileSync(FILE, 'utf8')));
console.log(`wrote ${FILE}`);
