import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { RunEvent } from '../src/events.ts';
import { randomStream } from '../src/random.ts';
import { checkRecipe } from '../src/recipe/parse.ts';
import { worthOf } from '../src/report/conclusion.ts';
import { distill } from '../src/run/distill.ts';
import { examineRecipe } from '../src/run/examine.ts';
import { label } from '../src/run/label.ts';
import { plan } from '../src/run/plan.ts';
import { train } from '../src/run/train.ts';
import {
  type ChatServer,
  type ChatServerOptions,
  startChatServer,
} from '../src/teachers/testing/chat-server.ts';
import { servedClassifier } from '../src/teachers/testing/served-classifier.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const KEY = 'sk-test-9f8e7d6c5b4a';
const VARIABLE = 'LIMBECK_TEST_CHAT_KEY';
const CLASSES = ['animal', 'colour', 'tool'];
const WORDS: Record<string, string[]> = {
  animal: ['dog', 'cat', 'horse', 'cow', 'bird'],
  colour: ['red', 'green', 'blue', 'yellow', 'grey'],
  tool: ['hammer', 'saw', 'drill', 'rake', 'spade'],
};
const OTHERS = ['fast', 'slow', 'big', 'small', 'car', 'house', 'tree', 'river', 'stone', 'old', 'new'];

const place = new RunPlace();
const servers: ChatServer[] = [];
let teacher: Awaited<ReturnType<typeof servedClassifier>>;

beforeAll(async () => {
  process.env[VARIABLE] = KEY;
  const random = randomStream(1, 'chat texts');
  const rows = Array.from({ length: 460 }, (_, i) => {
    const name = CLASSES[random.integer(3)] as string;
    const own = Array.from({ length: 2 }, () => WORDS[name]?.[random.integer(5)] as string);
    const others = Array.from({ length: 3 }, () => OTHERS[random.integer(OTHERS.length)] as string);
    return { text: [others[0], own[0], others[1], own[1], others[2], i].join(' '), label: name };
  });
  const lines = (list: readonly object[]) => `${list.map((row) => JSON.stringify(row)).join('\n')}\n`;
  place.write('labelled.jsonl', lines(rows.slice(0, 160)));
  place.write('texts.jsonl', lines(rows.slice(160).map(({ text }) => ({ text }))));
  place.write(
    'some.jsonl',
    lines(rows.slice(160).map(({ text, label: name }, i) => (i < 150 ? { text, label: name } : { text }))),
  );
  // One of our own students is what is served.
  await train(
    checkRecipe({
      ...base('served'),
      data: {
        source: { kind: 'jsonl', path: 'labelled.jsonl' },
        splits: { validation: 30, test: 30 },
        maxLength: 16,
      },
    }),
    place.options('served'),
  );
  teacher = await servedClassifier(place.path('runs/served/student/onnx/model.onnx'), CLASSES, 16);
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(async () => {
  delete process.env[VARIABLE];
  await teacher.release();
  place.remove();
});

function base(name: string) {
  return {
    name,
    student: { kind: 'text-conv', embedding: 16, width: 32 },
    training: {
      epochs: 8,
      batchSize: 32,
      optimizer: { kind: 'adamw', learningRate: 0.01 },
      earlyStopping: false,
    },
    baseline: { epochs: 2 },
    export: { int8: false },
    store: 'store',
  };
}

async function serve(options: ChatServerOptions = {}): Promise<ChatServer> {
  const server = await startChatServer({ key: KEY, classify: teacher.classify, ...options });
  servers.push(server);
  return server;
}

/** A recipe for texts without labels, or (`some`) with a few. */
function recipeOf(
  server: Pick<ChatServer, 'url'>,
  name: string,
  more: Record<string, unknown> = {},
  some = false,
  outputs?: object,
) {
  return checkRecipe({
    ...base(name),
    data: {
      source: { kind: 'jsonl', path: some ? 'some.jsonl' : 'texts.jsonl' },
      splits: { validation: 40, test: 60 },
      maxLength: 16,
    },
    outputs: outputs ?? { logits: { target: 'class', labels: CLASSES, ...(some && { field: 'label' }) } },
    teacher: {
      kind: 'chat',
      baseURL: server.url,
      model: 'served',
      key: VARIABLE,
      pause: 0.01,
      retries: 2,
      ...more,
    },
  });
}

function options(run: string, store = run) {
  const events: RunEvent[] = [];
  return {
    events,
    ...place.options(run, {
      storeFolder: place.path('stores', store),
      onEvent: (event) => events.push(event),
    }),
  };
}

const warnings = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'log' && event.level === 'warn' ? [event.message] : []));

/** The key, in any file that was written. */
function filesWith(text: string, folder = place.folder): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

describe('texts without labels', () => {
  test('become a classifier by the log-probabilities of a real model, and are paid once', async () => {
    const server = await serve();
    const prices = { input: 1, output: 2 };
    const how = options('unlabelled');
    const result = await distill(recipeOf(server, 'unlabelled', { prices }), how);
    // What is true of held-out texts is what the teacher says.
    expect(result.student.metrics.accuracy).toBeGreaterThan(0.85);
    expect(result.teacher).toBeUndefined();
    const { hostedTeacher } = result;
    expect(hostedTeacher).toMatchObject({ model: 'served', answers: ['soft labels from log-probabilities'] });
    expect(hostedTeacher?.money).toBeGreaterThan(0);
    expect(hostedTeacher?.decides).toBe(true);
    expect(worthOf(result, 'texts').join(' ')).toMatch(/all numbers are agreement with the teacher/);
    expect(readFileSync(place.path('runs/unlabelled/report.html'), 'utf8')).toContain(
      'agreement with the teacher',
    );
    // Each text once, and a probe.
    expect(server.requests).toHaveLength(301);
    expect(Math.max(...server.paid.values())).toBe(1);
    expect(warnings(how.events).join('\n')).toMatch(
      /texts themselves are sent to 127\.0\.0\.1:\d+ \(this machine\): 200 to train on, 40 to validate, 60 to test/,
    );
    // Another run on the same store asks nothing, and needs no key.
    delete process.env[VARIABLE];
    try {
      await distill(recipeOf(server, 'again', { prices }), options('again', 'unlabelled'));
    } finally {
      process.env[VARIABLE] = KEY;
    }
    expect(server.requests).toHaveLength(301);
    expect(filesWith(KEY)).toEqual([]);
    expect(JSON.stringify(how.events)).not.toContain(KEY);
    expect(filesWith('Classify the text', place.path('stores'))).toEqual([]);
  });

  test('are planned before anything is sent, with their price', async () => {
    const server = await serve();
    const planned = await plan(
      recipeOf(server, 'planned', { prices: { input: 1000, output: 2000 } }),
      options('planned'),
    );
    expect(planned.price).toMatchObject({
      samples: { check: 0, train: 200, validation: 40, test: 60 },
      requests: 302,
      currency: 'USD',
    });
    expect(planned.price?.money).toBeGreaterThan(0);
    expect(planned.stages.map(({ stage }) => stage)).toContain('label');
    expect(server.requests).toEqual([]);
    // What was told is what it came to: the prompt is counted as the server does.
    await label(recipeOf(server, 'planned'), options('planned'));
    const after = await plan(recipeOf(server, 'planned'), options('planned'));
    expect(after.price?.samples.train).toBe(0);
    const paid =
      (after.price?.spentTokens ?? 0) + (after.price?.inputTokens ?? 0) + (after.price?.outputTokens ?? 0);
    const told = (planned.price?.inputTokens ?? 0) + (planned.price?.outputTokens ?? 0);
    expect(Math.abs(paid / told - 1)).toBeLessThan(0.1);
  });
});

test('the doctor looks for nothing, and asks only when it is told to', async () => {
  const server = await serve({ logprobs: 'chosen' });
  const recipe = recipeOf(server, 'doctor', { prices: { input: 1, output: 2 } });
  const about = async (more: object = {}) =>
    Object.fromEntries(
      (await examineRecipe(recipe, { ...options('doctor'), ...more })).map(({ name, status, found }) => [
        name,
        `${status}: ${found}`,
      ]),
    );
  const free = await about();
  expect(server.requests).toEqual([]);
  expect(free.key).toBe(`ok: ${VARIABLE} is set`);
  expect(free.endpoint).toMatch(/^ok: served at 127\.0\.0\.1:\d+ lets us in$/);
  expect(free['abilities (logits)']).toMatch(/^missing: /);
  const paid = await about({ online: true });
  expect(server.requests).toHaveLength(1);
  expect(paid['abilities (logits)']).toMatch(
    /^ok: served gives no log-probabilities: votes are counted; .*chosen token alone/,
  );
  process.env[VARIABLE] = 'sk-wrong';
  try {
    expect((await about()).endpoint).toMatch(/^problem: the endpoint lets nobody in/);
  } finally {
    process.env[VARIABLE] = KEY;
  }
});

describe('without log-probabilities', () => {
  test('several answers are counted, and an endpoint that knows `n` is asked once', async () => {
    const server = await serve({ logprobs: 'none' });
    const how = options('votes');
    await label(recipeOf(server, 'votes', { votes: 3 }), how);
    expect(warnings(how.events).join('\n')).toMatch(
      /no log-probabilities that could teach \(it sends none\)/,
    );
    expect(server.requests.filter(({ body }) => body.n === 3)).toHaveLength(240);
    const single = await serve({ logprobs: 'refused', several: false });
    await label(recipeOf(single, 'single', { votes: 2 }), options('single'));
    expect(single.requests.length).toBeGreaterThanOrEqual(2 * 240);
    expect(
      Math.max(
        ...[...single.paid].filter(([text]) => !text.includes('only tests')).map(([, count]) => count),
      ),
    ).toBe(2);
  });

  test.each(['chosen', 'positive', 'sums', 'other-text'] as const)(
    'lies of the kind %s are found before a text is sent',
    async (logprobs) => {
      const server = await serve({ logprobs });
      const wanted = recipeOf(server, 'lies', { answers: 'logprobs' });
      await expect(label(wanted, options(`lies-${logprobs}`))).rejects.toMatchObject({
        code: 'teacher.logprobs',
      });
      expect(server.requests).toHaveLength(1);
      expect(server.requests[0]?.text).toBe('This short text only tests the connection.');
    },
  );

  test('the very same log-probabilities for all texts stop the run', async () => {
    const server = await serve({ logprobs: 'constant' });
    await expect(label(recipeOf(server, 'constant'), options('constant'))).rejects.toMatchObject({
      code: 'teacher.logprobs',
    });
    expect(server.requests.length).toBeLessThan(60);
  });
});

describe('goes on where it stopped', () => {
  test('after the budget was used up, with a larger one, in the same folder', async () => {
    const server = await serve();
    const small = recipeOf(server, 'budget', { budget: { tokens: 6000 }, concurrency: 3 });
    const stopped = await label(small, options('budget')).catch((error) => error);
    expect(stopped).toMatchObject({ code: 'teacher.budget', where: 'teacher.budget' });
    expect(stopped.message).toMatch(/of 6,000 tokens/);
    const before = server.requests.length;
    expect(before).toBeGreaterThan(20);
    expect(before).toBeLessThan(200);
    // Again with the same budget no more is sent than what was set aside for those on their way.
    await expect(label(small, options('budget'))).rejects.toMatchObject({ code: 'teacher.budget' });
    expect(server.requests.length).toBeLessThanOrEqual(before + 3);
    await label(recipeOf(server, 'budget', { budget: { tokens: 600_000 } }), options('budget'));
    expect(server.requests).toHaveLength(241);
    expect(Math.max(...server.paid.values())).toBe(1);
  });

  test('after it was killed: nothing that came back is paid again', { timeout: patience(120) }, async () => {
    const server = await serve({ delay: 15 });
    const recipe = recipeOf(server, 'killed', { concurrency: 2 });
    const file = place.write('killed.yaml', stringify(recipe));
    const script = fileURLToPath(new URL('support/chat-process.ts', import.meta.url));
    const args = ['--import', 'tsx', script, file, place.path('runs/killed'), place.path('stores/killed')];
    for (const least of [15, 60]) {
      const child = spawn(process.execPath, args, {
        cwd: process.cwd(),
        stdio: ['ignore', 'pipe', 'inherit'],
        env: process.env,
      });
      const ended = once(child, 'close');
      while (server.requests.length < least && child.exitCode === null)
        await new Promise((done) => setTimeout(done, 5));
      expect(server.requests.length).toBeGreaterThanOrEqual(least);
      child.kill('SIGKILL');
      expect((await ended)[1]).toBe('SIGKILL');
    }
    await label(recipe, options('killed'));
    const twice = [...server.paid.values()].filter((count) => count > 1).length;
    // What was on its way when it was killed never came back: at most the requests at the same time, for each kill.
    expect(twice).toBeLessThanOrEqual(2 * 2);
    expect(Math.max(...server.paid.values())).toBeLessThanOrEqual(2);
  });

  test('after a fault that does not pass, with all answers kept', async () => {
    let broken = true;
    const server = await serve({
      fault: ({ number }) => (broken && number >= 100 ? { status: 500 } : undefined),
    });
    await expect(
      label(recipeOf(server, 'fails', { concurrency: 4 }), options('fails')),
    ).rejects.toMatchObject({ code: 'teacher.endpoint' });
    broken = false;
    const before = server.paid.size;
    await label(recipeOf(server, 'fails', { concurrency: 4 }), options('fails'));
    expect(before).toBeGreaterThan(90);
    expect(Math.max(...server.paid.values())).toBe(1);
  });

  test('stops when the model becomes another one; a recipe may allow it', async () => {
    const server = await serve({ fault: ({ number }) => (number >= 50 ? { model: 'served-2' } : undefined) });
    const stopped = await label(recipeOf(server, 'changed'), options('changed')).catch((error) => error);
    expect(stopped).toMatchObject({ code: 'teacher.model-changed' });
    expect(stopped.message).toMatch(/'served-2' now, before they came from 'served'/);
    const how = options('changed');
    await label(recipeOf(server, 'changed', { onModelChange: 'warn' }), how);
    expect(warnings(how.events).filter((message) => message.includes('learns from both'))).toHaveLength(1);
    expect(Math.max(...server.paid.values())).toBe(1);
  });
});

test('samples without an answer count nothing, and are not asked again', async () => {
  const says = [
    { say: null, finish: 'content_filter' },
    { say: 'Well, that depends on how one sees it', finish: 'stop' },
    { say: 'Z', finish: 'stop' },
    { say: '', finish: 'length' },
  ];
  const server = await serve({
    logprobs: 'none',
    fault: ({ text, number }) => (/\b[a-z]+ \d*7$/.test(text) ? says[number % says.length] : undefined),
  });
  const more = { answers: 'hard', maxUnanswered: 0.3, check: 40 };
  const how = options('unanswered');
  const result = await distill(recipeOf(server, 'unanswered', more, true), how);
  expect(warnings(how.events).join('\n')).toMatch(
    /\d+ of \d+ train texts have no answer \(.*refused.*\): they count nothing in the loss/,
  );
  const { measured } = result.hostedTeacher ?? {};
  expect(measured?.samples).toBeLessThan(60);
  expect((measured?.samples ?? 0) + (measured?.unanswered ?? 0)).toBe(60);
  expect(measured?.metrics.accuracy).toBeGreaterThan(0.8);
  expect(result.student.metrics.accuracy).toBeGreaterThan(0.8);
  // The check is measured on labelled texts, and told.
  expect(
    how.events.some(
      (event) => event.type === 'stage-end' && /right on \d.* of \d+ validation samples/.test(event.summary),
    ),
  ).toBe(true);
  const before = server.requests.length;
  await label(recipeOf(server, 'unanswered-2', more, true), options('unanswered-2', 'unanswered'));
  expect(server.requests).toHaveLength(before);
});

test('too many samples without an answer stop the run', async () => {
  const server = await serve({
    logprobs: 'none',
    fault: ({ number }) => (number > 0 ? { say: 'I would rather talk about the weather' } : undefined),
  });
  const stopped = await label(recipeOf(server, 'prose', { answers: 'hard' }), options('prose')).catch(
    (error) => error,
  );
  expect(stopped).toMatchObject({ code: 'teacher.unanswered' });
  expect(stopped.message).toMatch(/in prose/);
  expect(server.requests.length).toBeLessThan(70);
});

test('a teacher that knows nothing is found on a few labelled texts', async () => {
  const server = await serve({ classify: (_, classes) => classes.map((_name, i) => (i === 0 ? 0.9 : 0.05)) });
  await expect(
    label(recipeOf(server, 'chance', { check: 40 }, true), options('chance')),
  ).rejects.toMatchObject({
    code: expect.stringMatching(/teacher\.(chance|logprobs)/),
  });
  expect(server.requests.length).toBeLessThan(60);
});

test('several classes come by a schema, and vectors many at once', async () => {
  const tags = await serve({
    structured: (text) => ({
      labels: CLASSES.filter((name) => WORDS[name]?.some((word) => text.includes(word))),
    }),
    schemas: false,
  });
  const how = options('tags');
  const multi = recipeOf(tags, 'tags', {}, false, { logits: { target: 'classes', labels: CLASSES } });
  const result = await distill(multi, how);
  expect(warnings(how.events).join('\n')).toMatch(/keeps to no JSON schema/);
  expect(result.student.metrics.macroAuroc).toBeGreaterThan(0.8);
  const embed = (text: string) => {
    const counts = CLASSES.map((name) => WORDS[name]?.filter((word) => text.includes(word)).length ?? 0);
    const length = Math.hypot(...counts) || 1;
    return [...counts.map((count) => count / length), 0];
  };
  const vectors = await serve({ embed });
  const recipe = recipeOf(vectors, 'vectors', { batch: 50 }, false, {
    embedding: { target: 'embedding', width: 4 },
  });
  const taught = await distill(recipe, options('vectors'));
  // A probe, four requests for 200 texts, one each for validation and two for the test texts.
  expect(vectors.requests).toHaveLength(8);
  expect(taught.student.metrics.cosine).toBeGreaterThan(0.7);
});

test.each([
  ['objective.hidden', { objective: { hidden: { weight: 1 } } }, {}],
  ['objective.attribution', { objective: { attribution: { weight: 1 } } }, {}],
  ['knowledge.graph', { knowledge: { graph: true } }, {}],
  ['teacher.budget.money', {}, { budget: { money: 1 } }],
  ['teacher.baseURL', {}, { baseURL: 'https://me:pass@x/v1' }],
  ['teacher.key', {}, { key: 'sk-abc' }],
])('%s is refused', (key, more, own) => {
  const teacherPart = { kind: 'chat', baseURL: 'http://127.0.0.1:1/v1', model: 'm', ...own };
  const recipe = {
    ...base('refused'),
    data: { source: { kind: 'jsonl', path: 'some.jsonl' } },
    ...more,
    teacher: teacherPart,
  };
  let problem = '';
  try {
    checkRecipe(recipe as never);
  } catch (error) {
    problem = String(error);
  }
  expect(problem).toContain(key);
});
