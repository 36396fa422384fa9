import { writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NOT_ASKED, type TokenPiece } from '../modalities/text/token-piece.ts';
import type { ChatTemplateSource } from '../modalities/text/tokenizer/chat-template-source.ts';
import { CHATML_TOKENS } from '../modalities/text/tokenizer/chat-template-source.ts';
import { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import { trainBpe } from '../modalities/text/tokenizer/train-bpe.ts';
import { openSource } from '../sources/index.ts';
import { sourceSchema } from '../testing/source-schema.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { conversationSource } from './conversation-source.ts';
import { spokenTexts } from './spoken-texts.ts';

const folder = temporaryFolders();
const { json, config } = trainBpe(['user\nassistant\nHi Hello there, Hello there'.repeat(9)], {
  vocabulary: 512,
  minFrequency: 2,
  special: CHATML_TOKENS,
});
const tokenizer = new Tokenizer(json, config);

/** What the source of a file gives: what is read and asked of each piece, and broken rows. */
async function read(
  base: string,
  name: string,
  { maxLength = 64, template = tokenizer.chatTemplate as ChatTemplateSource } = {},
) {
  const kind = name.endsWith('.parquet') ? 'parquet' : 'jsonl';
  const source = await openSource(sourceSchema.parse({ kind, path: name, textField: 'messages' }), {
    resolvePath: (path) => join(base, path),
    cacheFolder: join(base, 'cache'),
  });
  const pieces: { read: string; asked: string; id?: string; bytes: number }[] = [];
  const broken: string[] = [];
  const groups: string[] = [];
  const options = { field: 'messages', tokenizer, maxLength, template, tools: 'tools' };
  const conversations = conversationSource(source, options);
  for await (const row of conversations.rows()) {
    if ('broken' in row) broken.push(`${row.broken.where} ${row.broken.reason}: ${row.broken.problem}`);
    if (!('sample' in row)) continue;
    const piece = row.sample.values.messages as TokenPiece;
    const asked = piece.next.filter((id) => id !== NOT_ASKED);
    groups.push(row.sample.group ?? '');
    const textOf = (ids: readonly number[]) =>
      ids
        .map((id) => tokenizer.token(id))
        .join('')
        .replaceAll('Ġ', ' ');
    pieces.push({ read: textOf(piece.ids), asked: textOf(asked), bytes: piece.bytes });
  }
  const spoken: string[] = [];
  for await (const row of spokenTexts(source, { field: 'messages', tools: 'tools' }).rows())
    if ('sample' in row) spoken.push(row.sample.group ?? row.sample.id ?? '');
  return { pieces, broken, groups, spoken, fingerprint: await conversations.fingerprint() };
}

const lines = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const said = (...texts: string[]) => ({
  messages: texts.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content })),
});

it('asks for answers alone, and names the rows that have none', async () => {
  const base = await folder();
  writeFileSync(
    join(base, 'a.jsonl'),
    lines(said('Hi', 'Hello there'), said('Hi'), { messages: 'Hi' }, said('a', 'b', 'c', 'd')),
  );
  const { pieces, broken } = await read(base, 'a.jsonl');
  expect(pieces.map(({ asked }) => asked)).toEqual(['Hello there<|im_end|>', 'b<|im_end|>d<|im_end|>']);
  expect(pieces[0]?.read).toBe('<|im_start|>userĊHi<|im_end|>Ċ<|im_start|>assistantĊHello there<|im_end|>Ċ');
  expect(pieces[0]?.bytes).toBeCloseTo('Hello there<|im_end|>'.length, 9);
  expect(broken).toEqual([
    "a.jsonl:2 conversation: the conversation in 'messages' has no answer (a message of the role assistant); its roles are user",
    "a.jsonl:3 conversation: 'messages' is not a list of messages with role and content",
  ]);
});

it('reads lists of records of Parquet, as pyarrow writes them', async () => {
  const base = await folder();
  await copyFile(new URL('../testing/conversations.parquet', import.meta.url), join(base, 'a.parquet'));
  const { pieces, broken } = await read(base, 'a.parquet');
  expect(pieces[0]?.asked).toBe('HÃ©llo ðŁ¦Ĭ<|im_end|>');
  // The second has no answer, and the user of the third says nothing, which the template cannot write.
  expect(broken).toEqual([
    expect.stringContaining('a.parquet:2 conversation: '),
    expect.stringContaining('a.parquet:3 conversation: the chat template refuses message 2 (user): '),
  ]);
});

it('cuts long conversations to pieces, and leaves out those without an answer', async () => {
  const base = await folder();
  writeFileSync(join(base, 'a.jsonl'), lines(said('Hi '.repeat(30), 'Hello there '.repeat(4), 'x', 'y')));
  const whole = await read(base, 'a.jsonl', { maxLength: 512 });
  const cut = await read(base, 'a.jsonl', { maxLength: 8 });
  expect(cut.pieces.length).toBeLessThan(Math.ceil((whole.pieces[0]?.read.length ?? 0) / 8));
  // What is asked is the same, in pieces or not.
  expect(cut.pieces.map(({ asked }) => asked).join('')).toBe(whole.pieces[0]?.asked);
  expect(cut.pieces.reduce((sum, { bytes }) => sum + bytes, 0)).toBeCloseTo(whole.pieces[0]?.bytes ?? 0, 9);
  expect(cut.fingerprint).not.toBe(whole.fingerprint);
});

it('names the row at which a template fails', async () => {
  const base = await folder();
  writeFileSync(join(base, 'a.jsonl'), lines(said('Hi', 'Hello'), said('for ever', 'Hello')));
  const endless =
    "{% set ns = namespace(x='') %}{% if messages[0].content == 'for ever' %}{% set ns.x = raise_everything() %}{% endif %}{{ messages[1].content }}";
  const template = { template: endless, tokens: {}, where: 'here' };
  const { pieces, broken } = await read(base, 'a.jsonl', { template });
  expect(pieces).toHaveLength(1);
  expect(broken).toEqual([
    expect.stringMatching(/^a.jsonl:2 conversation: the chat template refuses message 1 \(user\)/),
  ]);
  const unreadable = { ...template, template: '{{' };
  await expect(read(base, 'a.jsonl', { template: unreadable })).rejects.toMatchObject({
    code: 'tokenizer.template',
    where: 'here, for a.jsonl:1',
  });
});

it('reads the tools of each row, and asks for calls of them', async () => {
  const base = await folder();
  const rows = (tools: unknown) => ({
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{"x": 1}' } }] },
      { role: 'tool', content: 'there' },
      { role: 'assistant', content: 'Hello' },
    ],
    tools,
  });
  writeFileSync(join(base, 'a.jsonl'), lines(rows([{ name: 'f' }]), rows(null), rows('x')));
  const { pieces, broken } = await read(base, 'a.jsonl', { maxLength: 512 });
  expect(pieces[0]?.read).toContain('<tools>Ċ{"name": "f"}Ċ</tools>');
  expect(pieces[1]?.read).not.toContain('<tools>');
  const call = '<tool_call>Ċ{"name": "f", "arguments": {"x": 1}}Ċ</tool_call><|im_end|>';
  expect(pieces.map(({ asked }) => asked)).toEqual(Array(2).fill(`${call}Hello<|im_end|>`));
  expect(broken).toEqual(["a.jsonl:3 conversation: 'tools' is no JSON list of tools"]);
});

it('tells conversations apart by everything that a template can write of them', async () => {
  const base = await folder();
  const [user, answer] = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ];
  const calls = (...names: string[]) => [{ function: { name: names[0], arguments: { a: names[1], b: 1 } } }];
  const rows = [
    { messages: [user, answer] },
    // The same, its keys in another order.
    { messages: [{ content: 'Hi', role: 'user' }, answer] },
    { messages: [user, { ...answer, tool_calls: calls('f', 'x') }] },
    { messages: [user, { ...answer, tool_calls: calls('g', 'x') }] },
    { messages: [user, { ...answer, tool_calls: calls('f', 'y') }] },
    { messages: [user, answer], tools: [{ name: 'f' }] },
    { messages: [user, answer], tools: [{ name: 'g' }] },
    { messages: [user, { ...answer, reasoning_content: 'It greets.' }] },
    { messages: [{ ...user, name: 'Ann' }, answer] },
    { messages: [{ ...user, role: 'system' }, answer] },
  ];
  writeFileSync(join(base, 'a.jsonl'), lines(...rows));
  const { groups, spoken } = await read(base, 'a.jsonl', { maxLength: 512 });
  expect(new Set(groups).size).toBe(rows.length - 1);
  expect(groups[0]).toBe(groups[1]);
  // A vocabulary is learnt from the texts of the same rows.
  expect(spoken).toEqual(groups);
});
