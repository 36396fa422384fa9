import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { patience } from '../../../test/support/patience.ts';
import {
  type ChatServer,
  type ChatServerOptions,
  type Fault,
  startChatServer,
} from '../testing/chat-server.ts';
import { ChatEndpoint } from './endpoint.ts';
import { type ChatChoice, chatOptions } from './options.ts';

const KEY = 'sk-secret-0123456789';
const VARIABLE = 'LIMBECK_TEST_KEY';
const open: ChatServer[] = [];

beforeEach(() => {
  process.env[VARIABLE] = KEY;
});
afterEach(async () => {
  delete process.env[VARIABLE];
  for (const server of open.splice(0)) await server.close();
});

async function serve(options: ChatServerOptions = {}): Promise<ChatServer> {
  const server = await startChatServer({ key: KEY, ...options });
  open.push(server);
  return server;
}

function choose(url: string, more: Record<string, unknown> = {}): ChatChoice {
  const options = {
    baseURL: url,
    model: 'served',
    key: VARIABLE,
    retries: 2,
    pause: 0.01,
    timeout: 5,
    ...more,
  };
  return { kind: 'chat', ...chatOptions.parse(options) };
}

const QUESTION = {
  messages: [
    { role: 'system', content: 'Classes:\nA) ham\nB) spam' },
    { role: 'user', content: 'hello' },
  ],
  temperature: 0,
  maxTokens: 4,
  alternatives: 5,
} as const;

const sequence = (...faults: (Fault | undefined)[]): ChatServerOptions => ({
  fault: ({ number }) => faults[number],
});

async function ask(server: ChatServer, more: Record<string, unknown> = {}) {
  return (await ChatEndpoint.open(choose(server.url, more))).ask(QUESTION, 'id-1');
}

test('asks as OpenAI has it, and reads the answer with its alternatives', async () => {
  const server = await serve({ classify: () => [0.25, 0.75] });
  const reply = await ask(server, { parameters: { max_tokens: null, max_completion_tokens: 9 } });
  expect(reply.choices[0]).toMatchObject({ text: 'B', finish: 'stop', refused: false });
  expect(reply.choices[0]?.tokens?.[0]?.top.map(({ token }) => token)).toEqual(['B', 'A']);
  expect(reply.model).toBe('served');
  expect(reply.usage.input).toBeGreaterThan(0);
  const [{ body, headers }] = server.requests as [ChatServer['requests'][0]];
  expect(body).toMatchObject({ logprobs: true, top_logprobs: 5, max_completion_tokens: 9, temperature: 0 });
  expect(body).not.toHaveProperty('max_tokens');
  expect(headers['idempotency-key']).toBe('id-1');
  expect(headers).not.toHaveProperty('openai-organization');
});

test('sends no organisation of the environment', async () => {
  process.env.OPENAI_ORG_ID = 'org-of-mine';
  process.env.OPENAI_PROJECT_ID = 'project-of-mine';
  try {
    const server = await serve();
    await ask(server);
    expect(JSON.stringify(server.requests[0]?.headers)).not.toMatch(/of-mine/);
  } finally {
    delete process.env.OPENAI_ORG_ID;
    delete process.env.OPENAI_PROJECT_ID;
  }
});

test('sends no key where the endpoint wants none', async () => {
  const server = await startChatServer({});
  open.push(server);
  await ask(server, { key: false });
  expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
});

describe('tries again', () => {
  test.each<[string, (Fault | undefined)[], number]>([
    ['after 429 with Retry-After', [{ status: 429, headers: { 'retry-after': '0' } }], 2],
    ['after 429 without', [{ status: 429 }], 2],
    ['after 500 and 503', [{ status: 500 }, { status: 503 }], 3],
    ['after a lost connection', ['drop'], 2],
    ['after half an answer', ['half'], 2],
  ])('%s', async (_, faults, requests) => {
    const server = await serve(sequence(...faults));
    expect((await ask(server)).choices).toHaveLength(1);
    expect(server.requests).toHaveLength(requests);
    // The same question has the same key, so that an endpoint that knows such keys bills it once.
    expect(new Set(server.requests.map(({ headers }) => headers['idempotency-key']))).toEqual(
      new Set(['id-1']),
    );
  });

  test('no sooner than the endpoint says, for all requests', { timeout: patience(10) }, async () => {
    const server = await serve(sequence({ status: 429, headers: { 'retry-after': '1' } }));
    const start = performance.now();
    await ask(server);
    expect(performance.now() - start).toBeGreaterThanOrEqual(990);
  });
});

describe('says what is wrong', () => {
  test.each<[string, ChatServerOptions, Record<string, unknown>, string, RegExp]>([
    ['a wrong key', { key: 'sk-other' }, {}, 'teacher.key', /LIMBECK_TEST_KEY/],
    [
      '429 for ever',
      { fault: () => ({ status: 429, headers: { 'retry-after': '0' } }) },
      {},
      'teacher.rate-limit',
      /refuses more requests/,
    ],
    [
      'a wait of hours',
      { fault: () => ({ status: 429, headers: { 'retry-after': '7200' } }) },
      {},
      'teacher.rate-limit',
      /7200 s/,
    ],
    [
      'no credit',
      {
        fault: () => ({ status: 429, body: { error: { message: 'no money', code: 'insufficient_quota' } } }),
      },
      {},
      'teacher.quota',
      /no credit/,
    ],
    ['500 for ever', { fault: () => ({ status: 500 }) }, {}, 'teacher.endpoint', /fails again and again/],
    [
      'an unknown model',
      { fault: () => ({ status: 404, body: { error: { message: 'no such model' } } }) },
      {},
      'teacher.endpoint',
      /no such model/,
    ],
    ['an unknown field', { logprobs: 'refused' }, {}, 'teacher.request', /Unknown parameter/],
    ['a page', { fault: () => 'html' }, {}, 'teacher.reply', /none of a chat API/],
    [
      'a reply without an end',
      { fault: () => 'drip' },
      { timeout: 0.2, retries: 1 },
      'teacher.endpoint',
      /within 0.2 s/,
    ],
    [
      'an error as a reply, for ever',
      { fault: () => ({ status: 200, body: { error: { message: 'provider is down', code: 502 } } }) },
      { retries: 1 },
      'teacher.endpoint',
      /fails again and again: provider is down/,
    ],
    [
      'a refusal as a reply',
      { fault: () => ({ status: 200, body: { error: { message: 'no such field', code: 'bad' } } }) },
      {},
      'teacher.request',
      /no such field/,
    ],
    ['a time-out', { fault: () => 'hang' }, { timeout: 0.2, retries: 1 }, 'teacher.endpoint', /within 0.2 s/],
  ])('%s', async (_, options, more, code, text) => {
    const server = await serve(options);
    const error = await ask(server, more).catch((reason) => reason);
    expect(error).toMatchObject({ code });
    expect(String(error)).toMatch(text);
    expect(String(error)).not.toContain(KEY);
  });

  test('nobody there', async () => {
    const endpoint = await ChatEndpoint.open(choose('http://127.0.0.1:1/v1', { retries: 1 }));
    await expect(endpoint.ask(QUESTION, 'id')).rejects.toMatchObject({ code: 'teacher.endpoint' });
  });

  test('no key in the environment', async () => {
    delete process.env[VARIABLE];
    await expect(ChatEndpoint.open(choose('http://127.0.0.1:1/v1'))).rejects.toMatchObject({
      code: 'teacher.key',
      where: 'teacher.key',
    });
  });
});

describe('redirects', () => {
  test('to another host get neither key nor text', async () => {
    const other = await serve({ key: 'whatever' });
    const server = await serve({ fault: () => ({ redirect: `${other.url}/chat/completions` }) });
    const error = await ask(server).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'teacher.redirect' });
    expect(error.message).toContain(`127.0.0.1:${other.port}`);
    expect(other.requests).toEqual([]);
  });

  test('within the host are followed', async () => {
    const server = await serve({
      fault: ({ path, number }) => (number === 0 ? { redirect: `${path}?again` } : undefined),
    });
    await expect(ask(server)).rejects.toMatchObject({ code: 'teacher.endpoint' });
    expect(server.requests).toHaveLength(2);
  });
});

test('a key that an endpoint tells back is not told on', async () => {
  const server = await serve({ fault: () => ({ status: 400, body: { error: { message: `bad ${KEY}` } } }) });
  const error = await ask(server).catch((reason) => reason);
  expect(String(error)).toContain('bad ***');
});

test('an error as a reply is asked again, and parts of an answer are read', async () => {
  const content = [
    { type: 'thinking', thinking: [{ type: 'text', text: 'B?' }] },
    { type: 'text', text: 'A' },
  ];
  const server = await serve({
    fault: ({ number }) => ({
      status: 200,
      body:
        number === 0
          ? { error: { message: 'busy', code: 503 } }
          : { model: 'm', choices: [{ message: { content }, finish_reason: 'stop' }] },
    }),
  });
  expect((await ask(server)).choices).toEqual([{ text: 'A', finish: 'stop', refused: false }]);
  expect(server.requests).toHaveLength(2);
});

test('counts tokens itself where the endpoint does not', async () => {
  const server = await serve({ fault: () => 'no-usage' });
  expect((await ask(server)).usage).toMatchObject({ estimated: true });
});

test('vectors come in the order of the texts, and have the width that is wanted', async () => {
  const server = await serve({ embed: (text) => [text.length, 1, 0.5] });
  const endpoint = await ChatEndpoint.open(choose(server.url));
  const { vectors } = await endpoint.embed(['a', 'bcd'], 3, 'id');
  const read = vectors?.map((vector) => [
    ...new Float32Array(new Uint8Array(Buffer.from(vector, 'base64')).buffer),
  ]);
  expect(read).toEqual([
    [1, 1, 0.5],
    [3, 1, 0.5],
  ]);
  await expect(endpoint.embed(['a'], 4, 'id')).rejects.toMatchObject({ code: 'teacher.outputs' });
});

test.each(['ftp://x/v1', 'https://me:secret@x/v1', 'https://x/v1?key=1', 'no url'])(
  '%s is no address',
  async (baseURL) => {
    await expect(ChatEndpoint.open(choose(baseURL))).rejects.toMatchObject({ code: 'recipe.invalid' });
  },
);

test('a key in place of its name is refused, and not told', () => {
  const { error } = chatOptions.safeParse({ baseURL: 'http://x/v1', model: 'm', key: KEY });
  expect(error?.issues[0]?.path).toEqual(['key']);
  expect(JSON.stringify(error?.issues)).not.toContain(KEY);
});

test('a stop waits for what is on its way, and for nothing else', async () => {
  const slow = await serve({ delay: 150 });
  const stop = new AbortController();
  const endpoint = await ChatEndpoint.open(choose(slow.url));
  setTimeout(() => stop.abort(), 30);
  expect((await endpoint.ask(QUESTION, 'id', stop.signal)).choices).toHaveLength(1);
  const failing = await serve({ fault: () => ({ status: 503 }) });
  const again = new AbortController();
  const other = await ChatEndpoint.open(choose(failing.url, { pause: 60 }));
  const start = performance.now();
  setTimeout(() => again.abort(new Error('stopped')), 50);
  await expect(other.ask(QUESTION, 'id', again.signal)).rejects.toThrow('stopped');
  expect(performance.now() - start).toBeLessThan(patience(10));
});
