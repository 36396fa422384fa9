import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lettersPrompt, textsPrompt } from '../../metrics/choices/prompts.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { readMmlu } from './mmlu.ts';

const folder = temporaryFolders();

async function mmlu(files: Record<string, string>): Promise<string> {
  const base = await folder();
  for (const part of ['dev', 'test']) mkdirSync(join(base, part));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(base, name), text);
  return base;
}

const DEV = 'Two plus two?,3,4,5,6,B\n"Which is odd, of these?",2,4,"1,000",7,D\n';

it('reads the files of MMLU, subject by subject', async () => {
  const base = await mmlu({
    'dev/abstract_algebra_dev.csv': DEV,
    'test/abstract_algebra_test.csv': '"He said ""go"",\nand went.",a,b,c,None,A\n1+1?,1,2,3,4,B\n',
    'test/anatomy_test.csv': 'Where?,here,there,up,down,C',
    'test/notes.txt': 'not a test',
  });
  const { subjects, broken } = await readMmlu(base);
  expect(broken).toEqual([]);
  expect(subjects.map(({ name, questions, shots }) => [name, questions.length, shots.length])).toEqual([
    ['abstract_algebra', 2, 2],
    ['anatomy', 1, 0],
  ]);
  expect(subjects[0]?.questions[0]).toEqual({
    id: 'test/abstract_algebra_test.csv:1',
    subject: 'abstract_algebra',
    text: 'He said "go",\nand went.',
    choices: ['a', 'b', 'c', 'None'],
    answer: 0,
  });
  expect(subjects[0]?.questions[1]?.id).toBe('test/abstract_algebra_test.csv:3');
});

it('asks as its authors do, with as many answered questions before as fit', async () => {
  const base = await mmlu({
    'dev/abstract_algebra_dev.csv': DEV,
    'test/abstract_algebra_test.csv': '1+1?,1,2,3,4,B\n',
  });
  const [subject] = (await readMmlu(base)).subjects;
  const { questions, shots } = subject as NonNullable<typeof subject>;
  const [asked] = questions as [(typeof questions)[number]];
  const whole = lettersPrompt(asked, { shots });
  expect(whole.continuations).toEqual([' A', ' B', ' C', ' D']);
  expect(whole.prompt).toBe(
    [
      'The following are multiple choice questions (with answers) about  abstract algebra.\n',
      'Two plus two?\nA. 3\nB. 4\nC. 5\nD. 6\nAnswer: B\n',
      'Which is odd, of these?\nA. 2\nB. 4\nC. 1,000\nD. 7\nAnswer: D\n',
      '1+1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:',
    ].join('\n'),
  );
  const fits = (prompt: string) => prompt.length < whole.prompt.length;
  expect(lettersPrompt(asked, { shots, fits }).prompt).not.toContain('Which is odd');
  expect(lettersPrompt(asked, { shots, fits }).prompt).toContain('Two plus two?');
  // One that fits in no way is asked all the same: whoever reads it cuts it.
  expect(lettersPrompt(asked, { shots, fits: () => false }).prompt).toContain('1+1?');
  expect(textsPrompt(asked)).toEqual({
    prompt: 'Question: 1+1?\nAnswer:',
    continuations: [' 1', ' 2', ' 3', ' 4'],
  });
});

it('names rows that are no questions by file and line, and goes on', async () => {
  const base = await mmlu({
    'test/anatomy_test.csv': [
      'Where?,here,there,up,down,C',
      'Where?,here,there,up,down',
      'Where?,here,there,up,down,E',
      'Where?,here,,up,down,A',
      'Where?,here,there,up,down,c',
      'When?,"now,later,up,down,A',
      'Why?,a,b,c,d,D',
    ].join('\n'),
  });
  const { subjects, broken } = await readMmlu(base);
  expect(subjects[0]?.questions.map(({ id }) => id)).toEqual([
    'test/anatomy_test.csv:1',
    'test/anatomy_test.csv:7',
  ]);
  expect(broken.map(({ where, reason, problem }) => `${where} ${reason}: ${problem}`)).toEqual([
    'test/anatomy_test.csv:2 columns: the row has 5 columns, not 6: question, A, B, C, D, answer',
    'test/anatomy_test.csv:3 label: the answer is "E", not A, B, C or D',
    'test/anatomy_test.csv:4 text: column 3 (B) is empty',
    'test/anatomy_test.csv:5 label: the answer is "c", not A, B, C or D',
    expect.stringMatching(/^test\/anatomy_test.csv:6 quotes: /),
  ]);
});

it('refuses a folder that is not MMLU', async () => {
  const base = await mmlu({ 'test/questions.csv': 'a,b,c,d,e,A' });
  await expect(readMmlu(base)).rejects.toMatchObject({ code: 'data.not-found', where: base });
  await expect(readMmlu(base, 'val')).rejects.toMatchObject({ message: 'there is no folder val' });
});

it('suggests of files that cannot be read only what can be done without a recipe', async () => {
  const latin = await mmlu({ 'test/a_test.csv': '' });
  const row = 'Caf\xe9 d\xe9j\xe0 vu, \xe0 la carte: o\xf9?,1,2,3,4,B\n';
  writeFileSync(join(latin, 'test/a_test.csv'), Buffer.from(row.repeat(9), 'latin1'));
  const { broken } = await readMmlu(latin);
  expect(broken[0]?.problem).toBe(
    'bytes that are not UTF-8; they read well as windows-1252: save the file as UTF-8 (iconv -f windows-1252 -t utf-8)',
  );
  const quoted = await readMmlu(await mmlu({ 'test/a_test.csv': '"1+1?,1,2,3,4,B\n' }));
  expect(quoted.broken[0]?.problem).toMatch(
    /never closed; close it, and write a quote inside of a field twice$/,
  );
  const binary = await mmlu({ 'test/a_test.csv': 'PK\x03\x04' });
  await expect(readMmlu(binary)).rejects.toMatchObject({
    message: 'this is a zip file, not CSV',
    remedy: 'Give a file of text, in UTF-8.',
  });
});
