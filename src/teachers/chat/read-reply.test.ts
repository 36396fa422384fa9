import { expect, test } from 'vitest';
import { endpointError } from './endpoint-errors.ts';
import { readReply, readVectors } from './read-reply.ts';

const address = new URL('http://endpoint/v1');
const messages = [{ role: 'user' as const, content: 'eight letters' }];
const read = (raw: object) => readReply(raw, address, 1, messages);
const choice = (content: unknown, more: object = {}) => ({
  message: { content },
  finish_reason: 'stop',
  ...more,
});

test.each([
  ['what the endpoint says', { prompt_tokens: 10, completion_tokens: 2 }, { input: 10, output: 2 }],
  ['guessed where it says nothing', undefined, { input: 4, output: 2, estimated: true }],
  ['guessed for an answer alone', { prompt_tokens: 10 }, { input: 10, output: 2, estimated: true }],
  ['guessed below 0', { prompt_tokens: -1, completion_tokens: -9 }, { input: 4, output: 2, estimated: true }],
  [
    'guessed at 0, which no text has',
    { prompt_tokens: 0, completion_tokens: 0 },
    { input: 4, output: 2, estimated: true },
  ],
  [
    'guessed beyond what is a number of tokens',
    { prompt_tokens: 1e300, completion_tokens: 2 },
    { input: 4, output: 2, estimated: true },
  ],
])('the tokens of a reply are %s', (_, usage, expected) => {
  expect(read({ model: 'm', choices: [choice('A class')], usage }).usage).toEqual(expected);
});

test('a reply without choices says nothing, and is paid; one that has no list of them is none', () => {
  const usage = { prompt_tokens: 10, completion_tokens: 0 };
  expect(read({ model: 'm', choices: [], usage })).toMatchObject({
    choices: [{ text: null, refused: false }],
    usage: { input: 10, output: 0 },
  });
  expect(() => read({ model: 'm', usage })).toThrow('it has no choices');
});

test('a token without a text has no log-probability', () => {
  const logprobs = { content: [{ logprob: -0.1, top_logprobs: [{ token: 'A', logprob: -0.1 }] }] };
  const [answer] = read({ model: 'm', choices: [choice('A', { logprobs })] }).choices;
  expect(answer?.tokens?.[0]).toMatchObject({ token: '', logprob: Number.NaN, top: [{ token: 'A' }] });
});

test('numbers that float32 does not hold are no vectors', () => {
  const raw = { model: 'm', data: [{ index: 0, embedding: [1e39, 0] }] };
  expect(() => readVectors(raw, { address, texts: ['a'], width: 2, seconds: 1 })).toThrow(
    'no list of numbers',
  );
});

test('a reply with NaN says how to ask without log-probabilities', () => {
  const asked = { address, model: 'm', keyName: undefined, timeout: 5, hide: (text: string) => text };
  const error = endpointError(new SyntaxError('Unexpected token N, "logprob":NaN is not valid JSON'), asked);
  expect(error).toMatchObject({
    code: 'teacher.reply',
    remedy: expect.stringContaining('teacher.answers: votes'),
  });
});
