import { expect, it, test } from 'vitest';
import { parseRecipe } from './parse.ts';

const RECIPE = `name: mine
data: { source: { kind: csv, path: rows.csv } }
teacher: { kind: use-lite }
student: { kind: text-conv }
`;
const set = (more: string, ...overrides: string[]) =>
  parseRecipe(`${RECIPE}${more}`, { file: 'r.yaml', overrides });

it('makes the lists and sections that lead to a key', () => {
  for (const text of ['compress[0].kind=prune', 'compress.0.kind=prune'])
    expect(set('', text).compress).toEqual([expect.objectContaining({ kind: 'prune' })]);
  expect(set('compress: false\n', 'compress[0].kind=qat').compress).toHaveLength(1);
  expect(set('', 'compress[0]={ kind: prune }', 'compress[1].kind=qat').compress).toHaveLength(2);
  expect(set('', 'data.augmentation.flip=true').data.augmentation).toMatchObject({ flip: true });
});

it('finds a term of a list by its kind', () => {
  const list = 'objective: [{ kind: labels }, { kind: kd, weight: 1 }]\n';
  expect(set(list, 'objective.kd.weight=0.5').objective).toMatchObject([{}, { kind: 'kd', weight: 0.5 }]);
  expect(set(list, 'objective[2]={ kind: cka }').objective).toHaveLength(3);
});

test.each([
  ['', 'compress[1].kind=prune', /the recipe has no compress: its first entry is compress\[0\]/],
  [
    'compress: [{ kind: prune }]\n',
    'compress[3].kind=qat',
    /compress has 1 entry: the next is compress\[1\]/,
  ],
  ['compress: { kind: qat }\n', 'compress[0].kind=qat', /compress is a section of keys.*not a list/],
  ['objective: [{ kind: kd }]\n', 'objective.cka.weight=1', /objective is a list.*objective\[0\] \(kd\)/],
  ['', 'student.kind.x=1', /student\.kind is a value in the recipe/],
  ['', '=1', /expected key\.path=value/],
])('%s with %s is refused with the form that the recipe has', (more, override, message) => {
  expect(() => set(more, override)).toThrow(
    expect.objectContaining({ where: `--set ${override}`, message: expect.stringMatching(message) }),
  );
});
