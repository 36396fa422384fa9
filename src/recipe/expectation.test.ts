import { expect, it } from 'vitest';
import { keysOf } from './expectation.ts';

it('names the keys of a section, also where they are those of a list', () => {
  expect(keysOf({ type: 'object', properties: { a: {}, b: {} } })).toEqual(['a', 'b']);
  expect(keysOf({ type: 'object', propertyNames: { enum: ['Edema', 'Fracture'] } })).toEqual([
    'Edema',
    'Fracture',
  ]);
});
