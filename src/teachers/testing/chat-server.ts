import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomStream } from '../../random.ts';

/** One request as it came. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
  /** The user message. */
  readonly text: string;
  /** Counted from 0, over all requests that ask something. */
  readonly number: number;
}

/** What goes wrong with one request. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  | { readonly redirect: string }
  | { readonly model: string }
  | { readonly say: string | null; readonly finish?: string; readonly refusal?: string }
  | 'hang'
  | 'drip'
  | 'drop'
  | 'html'
  | 'half'
  | 'no-usage';

export interface ChatServerOptions {
  /** Probabilities of the classes that the prompt lists. */
  readonly classify?: (
    text: string,
    classes: readonly string[],
  ) => readonly number[] | Promise<readonly number[]>;
  /** The object that is asked for by a schema. */
  readonly structured?: (text: string, schema: unknown) => unknown;
  readonly embed?: (text: string) => readonly number[];
  /** Without it nobody is let in. */
  readonly key?: string;
  readonly model?: string;
  /** none: the field is ignored; refused: 400; chosen: without alternatives; the others lie. */
  readonly logprobs?:
    | 'true'
    | 'none'
    | 'refused'
    | 'chosen'
    | 'positive'
    | 'constant'
    | 'sums'
    | 'other-text';
  /** Whether `n` is known. */
  readonly several?: boolean;
  /** Whether JSON schemas are known. */
  readonly schemas?: boolean;
  readonly fault?: (request: SeenRequest) => Fault | undefined;
  /** Milliseconds before each answer. */
  readonly delay?: number;
  readonly port?: number;
}

export interface ChatServer {
  /** With `/v1`. */
  readonly url: string;
  readonly port: number;
  /** Requests that asked something (not the list of models). */
  readonly requests: readonly SeenRequest[];
  /** Samples that were answered and, so, paid: by text, how many answers. */
  readonly paid: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** A server on loopback that speaks as OpenAI's API does, with every fault that one may have. For tests and proofs. */
export async function startChatServer(options: ChatServerOptions): Promise<ChatServer> {
  const requests: SeenRequest[] = [];
  const paid = new Map<string, number>();
  const server = createServer((request, response) => {
    void answer(options, request, response, requests, paid).catch((error: Error) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ error: { message: error.message } }));
    });
  });
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    paid,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

async function answer(
  options: ChatServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  requests: SeenRequest[],
  paid: Map<string, number>,
): Promise<void> {
  const { key, model = 'served' } = options;
  const send = (status: number, body: unknown, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const fail = (status: number, message: string) => send(status, { error: { message } });
  const path = request.url ?? '';
  const content = await readBody(request);
  if (key !== undefined && request.headers.authorization !== `Bearer ${key}`)
    return fail(401, `Incorrect API key provided: ${request.headers.authorization ?? 'none'}`);
  if (path.endsWith('/models')) return send(200, { object: 'list', data: [{ id: model, object: 'model' }] });
  const body = JSON.parse(content) as Record<string, unknown>;
  const messages = (body.messages ?? []) as { role: string; content: string }[];
  const text = messages.find(({ role }) => role === 'user')?.content ?? '';
  const seen: SeenRequest = { path, headers: request.headers, body, text, number: requests.length };
  requests.push(seen);
  if (options.delay) await new Promise((done) => setTimeout(done, options.delay));
  const fault = options.fault?.(seen);
  if (fault === 'hang') return;
  if (fault === 'drip') {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drops = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drops));
    return;
  }
  if (fault === 'drop') {
    request.socket.destroy();
    return;
  }
  if (fault === 'html') return send(200, '<html>Welcome</html>', { 'content-type': 'text/html' });
  if (fault === 'half') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
    response.write('{"choices": [');
    setTimeout(() => request.socket.destroy(), 20);
    return;
  }
  if (typeof fault === 'object' && 'status' in fault)
    return send(fault.status, fault.body ?? {}, fault.headers);
  if (typeof fault === 'object' && 'redirect' in fault) return send(307, {}, { location: fault.redirect });
  const name = typeof fault === 'object' && 'model' in fault ? fault.model : model;
  if (path.endsWith('/embeddings')) {
    const input = body.input as string[];
    const data = input.map((one, index) => ({ index, embedding: options.embed?.(one) ?? [] }));
    for (const one of input) paid.set(one, (paid.get(one) ?? 0) + 1);
    return send(200, {
      model: name,
      data,
      usage: { prompt_tokens: tokensOf(input.join('')), total_tokens: 0 },
    });
  }
  if (!path.endsWith('/chat/completions')) return fail(404, `no ${path}`);
  if (body.logprobs === true && options.logprobs === 'refused')
    return fail(400, "Unknown parameter: 'logprobs'");
  if (body.response_format !== undefined && options.schemas === false)
    return fail(400, "Unknown parameter: 'response_format'");
  const count = options.several === false ? 1 : Number(body.n ?? 1);
  const choices = [];
  for (let index = 0; index < count; index++) {
    const said =
      typeof fault === 'object' && 'say' in fault
        ? { content: fault.say, finish: fault.finish ?? 'stop', refusal: fault.refusal }
        : await say(options, seen, (paid.get(text) ?? 0) + index);
    const { content: words, finish, logprobs, refusal } = said as Said;
    choices.push({
      index,
      message: { role: 'assistant', content: words, refusal: refusal ?? null },
      finish_reason: finish ?? 'stop',
      ...(logprobs && body.logprobs === true && { logprobs: { content: logprobs } }),
    });
  }
  paid.set(text, (paid.get(text) ?? 0) + count);
  const back = choices.map(({ message }) => message.content ?? '').join('');
  const usage = {
    prompt_tokens: tokensOf(messages.map((one) => one.content).join('')),
    completion_tokens: tokensOf(back),
  };
  send(200, {
    id: 'x',
    object: 'chat.completion',
    model: name,
    choices,
    ...(fault === 'no-usage' ? {} : { usage }),
  });
}

interface Said {
  readonly content: string | null;
  readonly finish?: string;
  readonly refusal?: string | undefined;
  readonly logprobs?: readonly unknown[];
}

async function say(options: ChatServerOptions, { body, text }: SeenRequest, place: number): Promise<Said> {
  const system = String((body.messages as { content: string }[])[0]?.content ?? '');
  if (options.structured) return { content: JSON.stringify(options.structured(text, body.response_format)) };
  const lines = [...system.matchAll(/^([A-Z]|\d+)\) ([^:\n]+)/gm)];
  const listed = lines.length > 0 ? lines : [...system.matchAll(/^(-) ([^:\n]+)/gm)];
  const classes = listed.map(([, , name]) => name as string);
  const codes = listed.map(([, code, name]) => (code === '-' ? (name as string) : (code as string)));
  const chances = (await options.classify?.(text, classes)) ?? classes.map(() => 1 / classes.length);
  const temperature = Number(body.temperature ?? 1);
  const chosen =
    temperature === 0 ? chances.indexOf(Math.max(...chances)) : drawn(chances, `${text} ${place}`);
  if (options.logprobs === 'constant')
    return { content: codes[0] as string, logprobs: logprobsOf(options, codes, chances, 0, body) };
  return { content: codes[chosen] as string, logprobs: logprobsOf(options, codes, chances, chosen, body) };
}

function logprobsOf(
  { logprobs = 'true' }: ChatServerOptions,
  codes: readonly string[],
  chances: readonly number[],
  chosen: number,
  body: Record<string, unknown>,
): readonly unknown[] | undefined {
  if (logprobs === 'none') return undefined;
  const all = codes
    .map((token, i) => ({ token, logprob: Math.log(Math.max(1e-12, chances[i] as number)) }))
    .sort((a, b) => b.logprob - a.logprob);
  const top = all.slice(0, Math.min(20, Number(body.top_logprobs ?? 0)));
  const own = all.find(({ token }) => token === codes[chosen]) as (typeof all)[0];
  if (logprobs === 'chosen') return [{ ...own, top_logprobs: [] }];
  if (logprobs === 'positive') return [{ ...own, logprob: 0.7, top_logprobs: top }];
  if (logprobs === 'sums') return [{ ...own, top_logprobs: top.map((one) => ({ ...one, logprob: -0.1 })) }];
  if (logprobs === 'other-text') return [{ token: 'Hello', logprob: -0.1, top_logprobs: top }];
  if (logprobs === 'constant') {
    const flat = codes.slice(0, 20).map((token) => ({ token, logprob: Math.log(1 / codes.length) }));
    return [{ token: codes[0], logprob: Math.log(1 / codes.length), top_logprobs: flat }];
  }
  return [{ ...own, top_logprobs: top }];
}

/** A class drawn by its probability, the same for the same name. */
function drawn(chances: readonly number[], name: string): number {
  let left = randomStream(1, `served ${name}`).uniform();
  for (const [i, chance] of chances.entries()) {
    left -= chance;
    if (left < 0) return i;
  }
  return chances.length - 1;
}

function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
