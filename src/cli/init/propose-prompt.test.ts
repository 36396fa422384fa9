import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parseRecipe } from '../../recipe/parse.ts';
import { textModelFolder } from '../../teachers/testing/text-model-file.ts';
import { draftRecipe } from './draft.ts';
import { proposePrompts } from './propose-prompt.ts';

let remove = () => {};
afterEach(() => remove());

/** What is proposed for a teacher with these prompts, and the recipe that it makes. */
function proposedFor(config: object, own: string[] = []) {
  const made = textModelFolder();
  remove = made.remove;
  writeFileSync(join(dirname(made.model), 'config_sentence_transformers.json'), JSON.stringify(config));
  const set = [`teacher.model=${basename(made.model)}`, ...own];
  const source = { kind: 'csv', path: 'mails.csv' };
  const answers = {
    name: 'a',
    source,
    teacher: 'onnx',
    student: 'text-conv',
    labelsPerClass: 'all',
    set,
  } as const;
  const first = parseRecipe(draftRecipe(answers, 's'));
  const proposed = proposePrompts(first, dirname(made.model));
  const text = draftRecipe({ ...answers, set: [...set, ...proposed.set] }, 's');
  return { ...proposed, teacher: parseRecipe(text).teacher };
}

it('a prompt is chosen where a teacher has some and none by default, and the others are told', () => {
  const { teacher, seen } = proposedFor({
    prompts: { document: '', passage: 'passage: ', query: 'query: ' },
  });
  expect(teacher).toMatchObject({ prompt: 'query: ' });
  expect(seen).toEqual([
    "teacher.prompt: 'query: ', the prompt 'query' of the model, which takes none by default; it also has passage ('passage: '); '' is none",
  ]);
  remove();
  const named = proposedFor({ prompts: { query: 'query: ', Classification: 'task: sort | "it": ' } });
  expect(named.teacher).toMatchObject({ prompt: 'task: sort | "it": ' });
});

it.each([
  [{ prompts: { query: 'query: ' }, default_prompt_name: 'query' }, []],
  [{ prompts: { query: '', document: '' } }, []],
  [{ prompts: { query: 'query: ' } }, ["teacher.prompt=''"]],
  // The run tells what is wrong with it.
  [{ prompts: 3 }, []],
  [{ prompts: { query: 'query: ' } }, ['teacher.model=not-there']],
])('nothing is proposed where nothing is to be chosen: %j %j', (config, own) => {
  expect(proposedFor(config, own)).toMatchObject({ set: [], seen: [] });
});

it('each of several teachers has its own', () => {
  const made = textModelFolder();
  remove = made.remove;
  writeFileSync(
    join(dirname(made.model), 'config_sentence_transformers.json'),
    '{"prompts":{"query":"query: "}}',
  );
  const teachers = [{ kind: 'use-lite' }, { kind: 'onnx', model: made.model }];
  expect(proposePrompts({ teacher: { kind: 'several', teachers } } as never, '/').set).toEqual([
    'teacher.teachers[1].prompt="query: "',
  ]);
});
