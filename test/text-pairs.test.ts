import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { train } from '../src/run/train.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { patience } from './support/patience.ts';
import { RunPlace, smallRecipe } from './support/small-run.ts';

const place = new RunPlace();

beforeAll(async () => {
  const glosses = await readGlosses(200);
  const rows = glosses.map((gloss, i) => ({
    ...gloss,
    other: glosses[(i * 7) % glosses.length]!.text.slice(0, 20),
  }));
  return writeJsonLines(place.path('data.jsonl'), rows);
});
afterAll(() => place.remove());

const PAIR = 'inputs.text={modality: text, field: [text, other]}';

test.each([
  ['a class', ['outputs.logits={target: class, field: label}'], /@huggingface\/transformers/],
  [
    'several outputs',
    ['outputs.logits={target: class, field: label}', 'outputs.again={target: class, field: label}'],
    /own reader/,
  ],
])(
  'a student of two texts a sample ships, with %s',
  async (_title, outputs, reader) => {
    const { teacher: _, ...recipe } = smallRecipe([
      PAIR,
      ...outputs,
      'export.int8=false',
      'data.maxLength=24',
      'data.buckets=[24]',
    ]);
    const name = `pair-${outputs.length}`;
    const result = await train(recipe, place.options(name));
    expect(result.shippedCheck!.reader).toMatch(reader);
    // Those that are cut are cut otherwise by readers, and left out.
    expect(result.shippedCheck!.samples).toBeGreaterThan(8);
    const card = readFileSync(place.path('runs', name, 'student', 'README.md'), 'utf8');
    expect(card.includes('text_pair: "the other"')).toBe(outputs.length === 1);
  },
  patience(60),
);
