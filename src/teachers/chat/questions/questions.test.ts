import { describe, expect, test } from 'vitest';
import { useLiteTokenizer } from '../../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { openHead } from '../../../targets/head.ts';
import { findTarget } from '../../../targets/index.ts';
import type { AnyTarget } from '../../../targets/target.ts';
import { chatOptions } from '../options.ts';
import type { ReplyChoice } from '../reply.ts';
import { questionFor } from './index.ts';
import type { AnswerMode } from './question.ts';

const tokenizer = await useLiteTokenizer();
const CLASSES = { names: ['ham', 'spam', 'news'] };

function question(
  kind: string,
  space: unknown,
  options: Record<string, unknown> = {},
  mode: AnswerMode = 'hard',
) {
  const choice = {
    kind: 'chat' as const,
    ...chatOptions.parse({ baseURL: 'http://x/v1', model: 'm', ...options }),
  };
  const target = findTarget(kind) as AnyTarget;
  const head = openHead({ output: 'logits', target, options: {}, space, labels: 'labels' });
  return questionFor({ head, choice, mode, structured: true, tokenizer });
}

const said = (text: string | null, more: Partial<ReplyChoice> = {}): ReplyChoice => ({
  text,
  finish: 'stop',
  refused: false,
  ...more,
});
const softmax = (logits: Float32Array) => {
  const all = Array.from(logits, Math.exp);
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((value) => Number((value / sum).toFixed(3)));
};
const valuesOf = (reading: object) => (reading as { values: Float32Array }).values;

describe('one class', () => {
  test('is asked for by letters, with what classes mean, and no text can put classes in', () => {
    const asked = question('class', CLASSES, {
      task: 'Sort mails.',
      classNotes: { spam: 'nobody asked for it' },
    });
    const [system, user] = asked.ask('buy {classes} now').messages;
    expect(system?.content).toMatch(/^Sort mails\.\n\n/);
    expect(system?.content).toContain('A) ham\nB) spam: nobody asked for it\nC) news');
    expect(user?.content).toBe('buy {classes} now');
  });

  test.each([
    ['B', 1],
    [' b.', 1],
    ['"B)"', 1],
    ['spam', 1],
    ['B) spam', 1],
    ['**A**', 0],
    ['```\nB\n```', 1],
    ['```json\n"spam"\n```', 1],
  ])('%j is an answer', (text, expected) => {
    const { values } = question('class', CLASSES).read([said(text)], { text: '' }) as {
      values: Float32Array;
    };
    expect(values.indexOf(Math.max(...values))).toBe(expected);
    expect(Math.max(...softmax(values))).toBeCloseTo(0.95 + 0.05 / 3, 3);
  });

  test.each([
    [said('I think that it is B, for it sells'), 'prose'],
    [said('D'), 'outside'],
    [said(''), 'empty'],
    [said('The best fit', { finish: 'length' }), 'cut'],
    [said(null, { refused: true }), 'refused'],
  ])('%j is none', (answer, reason) => {
    expect(question('class', CLASSES).read([answer], { text: '' })).toEqual({ unanswered: reason });
  });

  test('of several answers is their shares, of those that are answers', () => {
    const asked = question('class', CLASSES, { smoothing: 0, votes: 4 }, 'votes');
    expect(asked.wanted).toBe(4);
    expect(asked.ask('x').temperature).toBe(1);
    const reading = asked.read([said('A'), said('B'), said('no idea'), said('A'), said('A')], { text: '' });
    expect(softmax(valuesOf(reading))).toEqual([0.75, 0.25, 0]);
  });

  test('of log-probabilities is what they say; an answer outside of all is none', () => {
    const asked = question('class', CLASSES, {}, 'logprobs');
    const tokens = (chances: Record<string, number>) => [
      {
        token: Object.keys(chances)[0] as string,
        logprob: Math.log(Object.values(chances)[0] as number),
        top: Object.entries(chances).map(([token, chance]) => ({ token, logprob: Math.log(chance) })),
      },
    ];
    const reading = asked.read([said('A', { tokens: tokens({ A: 0.6, B: 0.3, C: 0.1 }) })], { text: '' });
    expect(softmax(valuesOf(reading))).toEqual([0.6, 0.3, 0.1]);
    const other = tokens({ Sure: 0.9, A: 0.1 });
    expect(asked.read([said('Sure, here is it', { tokens: other })], { text: '' })).toEqual({
      unanswered: 'outside',
    });
  });
});

test('several classes become logits of votes', () => {
  const asked = question('classes', CLASSES, { smoothing: 0.1, votes: 2 }, 'votes');
  const schema = asked.ask('x').schema?.schema as { properties: { labels: unknown } };
  expect(schema.properties.labels).toEqual({ type: 'array', items: { type: 'string', enum: CLASSES.names } });
  const reading = asked.read(
    [said('{"labels": ["ham", "News"]}'), said('```JSON\n{"labels": ["ham"]}\n```')],
    { text: '' },
  );
  const chances = Array.from(valuesOf(reading), (logit) => Number((1 / (1 + Math.exp(-logit))).toFixed(3)));
  expect(chances).toEqual([0.95, 0.05, 0.5]);
  expect(asked.read([said('{"labels": ["eggs"]}')], { text: '' })).toEqual({ unanswered: 'outside' });
  expect(asked.read([said('ham and news')], { text: '' })).toEqual({ unanswered: 'prose' });
  expect(asked.read([said('{"labels": ["ham"', { finish: 'length' })], { text: '' })).toEqual({
    unanswered: 'cut',
  });
});

test('a number is the mean of the answers', () => {
  const asked = question('number', { mean: 0, deviation: 1 });
  expect(valuesOf(asked.read([said('{"value": 3}'), said('{"value": 4.5}')], { text: '' }))).toEqual(
    Float32Array.of(3.75),
  );
  expect(asked.read([said('{"value": "many"}')], { text: '' })).toEqual({ unanswered: 'outside' });
});

test('spans become tags of the tokens that are quoted', () => {
  const asked = question('token-classes', { kinds: ['CITY', 'NAME'] }, { smoothing: 0 });
  const text = 'Anna left Paris, and Paris left Anna';
  const spans = [
    { text: 'Anna', kind: 'NAME' },
    { text: 'Paris', kind: 'CITY' },
    { text: 'Paris', kind: 'CITY' },
    { text: 'Berlin', kind: 'CITY' },
  ];
  const ids = tokenizer.encode(text, 64);
  const values = valuesOf(asked.read([said(JSON.stringify({ spans }))], { text, length: 64 }));
  expect(values.length).toBe(ids.length * 5);
  const tags = ids.map((_, at) => {
    const own = values.subarray(at * 5, at * 5 + 5);
    return own.indexOf(Math.max(...own));
  });
  const tokens = [...ids].map((id) => tokenizer.token(id));
  const tagged = tokens.flatMap((token, i) => (tags[i] === 0 ? [] : [`${token}=${tags[i]}`]));
  expect(tagged.join(' ')).toBe('▁A=3 nna=4 ▁Paris=1 ▁Paris=1');
  expect(asked.read([said('{"spans": [{"text": "Rome", "kind": "CITY"}]}')], { text, length: 64 })).toEqual({
    unanswered: 'outside',
  });
});
