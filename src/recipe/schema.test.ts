import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { bucketsFor } from './data.ts';
import type { SchemaNode } from './expectation.ts';
import { recipeJsonSchema } from './schema.ts';

test('recipe.schema.json is up to date (npm run schema)', async () => {
  const file = await readFile(new URL('../../recipe.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(file)).toEqual(recipeJsonSchema());
});

test('every section refuses keys that it does not know', () => {
  const open: string[] = [];
  const walk = (node: SchemaNode, path: string) => {
    // Of a section whose keys are names that a person gives, every value has the same keys.
    const named = node.propertyNames !== undefined && typeof node.additionalProperties === 'object';
    if (named) walk(node.additionalProperties as SchemaNode, `${path}.*`);
    else if (node.type === 'object' && node.additionalProperties !== false) open.push(path);
    for (const [key, child] of Object.entries(node.properties ?? {}))
      walk(child as SchemaNode, `${path}.${key}`);
    for (const child of [...(node.oneOf ?? []), ...(node.anyOf ?? [])]) walk(child as SchemaNode, path);
  };
  walk(recipeJsonSchema(), '');
  expect(open).toEqual([]);
});

test('only name, data and student must be written', () => {
  expect(recipeJsonSchema().required).toEqual(['name', 'data', 'student']);
});

test('buckets rise by a half and a third, from 16 to the longest text', () => {
  expect(bucketsFor(64)).toEqual([16, 24, 32, 48, 64]);
  expect(bucketsFor(100)).toEqual([16, 24, 32, 48, 64, 96, 100]);
  expect(bucketsFor(8)).toEqual([8]);
});
