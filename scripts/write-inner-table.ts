import { readFileSync, writeFileSync } from 'node:fs';
import { withInnerTable } from './inner-table.ts';

const file = new URL('../docs/objectives.md', import.meta.url);
writeFileSync(file, withInnerTable(readFileSync(file, 'utf8')));
