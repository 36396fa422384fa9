import { LimbeckError } from '../../errors.ts';

interface Asked {
  readonly address: URL;
  readonly model: string;
  readonly keyName: string | undefined;
  readonly timeout: number;
  /** Takes the key out of what an endpoint says. */
  readonly hide: (text: string) => string;
}

interface ApiFailure {
  readonly status?: number;
  readonly code?: string | null;
  readonly message?: string;
  readonly name?: string;
  readonly headers?: { get?(name: string): string | null } | undefined;
  readonly cause?: unknown;
}

/** An error of ours that a client has wrapped in its own. */
export function ofLimbeck(error: unknown): LimbeckError | undefined {
  for (let at: unknown = error, depth = 0; at && depth < 8; at = (at as { cause?: unknown }).cause, depth++)
    if (at instanceof LimbeckError) return at;
  return undefined;
}

/** Whether the same request may be answered a little later. */
export function isPassing(error: unknown): boolean {
  if (ofLimbeck(error)) return false;
  const { status, name } = error as ApiFailure;
  if (isQuota(error)) return false;
  if (status === undefined)
    return /Connection|Timeout|FetchError|AbortError/.test(nameOf(error)) || isNetwork(error, name);
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

/** Seconds that an endpoint asks to wait (Retry-After, in seconds or as a date); undefined where it does not. */
export function waitOf(error: unknown): number | undefined {
  const header = (name: string) => (error as ApiFailure).headers?.get?.(name) ?? undefined;
  const milliseconds = Number(header('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds / 1000;
  const after = header('retry-after');
  if (after === undefined) return undefined;
  const seconds = Number(after);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds : undefined;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

/** What went wrong, for the person. What was answered before is kept in every case. */
export function endpointError(error: unknown, asked: Asked): LimbeckError {
  const own = ofLimbeck(error);
  if (own) return own;
  const { address, model, keyName, timeout, hide } = asked;
  const { status } = error as ApiFailure;
  const said = hide(String((error as ApiFailure).message ?? error)).slice(0, 500);
  const where = `${address.href}, model ${model}`;
  const kept = 'Everything answered so far is kept: the same command goes on.';
  const make = (code: string, problem: string, remedy: string) =>
    new LimbeckError(`teacher.${code}`, problem, { where, remedy });
  if (status === 401 || status === 403) {
    const which =
      keyName === undefined ? 'without a key (teacher.key is false)' : `with the key in ${keyName}`;
    return make(
      'key',
      `the endpoint lets nobody in ${which}: ${said}`,
      'Check the key, and that it may use this model.',
    );
  }
  if (isQuota(error))
    return make('quota', `the endpoint's account has no credit left: ${said}`, `Add some there. ${kept}`);
  if (status === 429) {
    const wait = waitOf(error);
    const long = wait === undefined ? '' : ` It asks to wait ${Math.ceil(wait)} s.`;
    return make(
      'rate-limit',
      `the endpoint refuses more requests: ${said}`,
      `Lower teacher.concurrency or set teacher.requestsPerMinute.${long} ${kept}`,
    );
  }
  if (status === 404)
    return make(
      'endpoint',
      `the endpoint knows no such model or address: ${said}`,
      'Check teacher.model and teacher.baseURL; it mostly ends with /v1.',
    );
  if (status !== undefined && status >= 500)
    return make('endpoint', `the endpoint fails again and again: ${said}`, kept);
  if (status !== undefined)
    return make(
      'request',
      `the endpoint refuses the request: ${said}`,
      'A field that it does not know is taken away or renamed by teacher.parameters, like { max_tokens: null, max_completion_tokens: 16 }.',
    );
  if (/Timeout/.test(nameOf(error)))
    return make(
      'endpoint',
      `the endpoint did not answer within ${timeout} s`,
      `Raise teacher.timeout or lower teacher.concurrency. ${kept}`,
    );
  if (isPassing(error))
    return make(
      'endpoint',
      `the endpoint cannot be reached: ${reasonOf(error)}`,
      `Check teacher.baseURL and the network. ${kept}`,
    );
  return new LimbeckError('teacher.reply', `the endpoint's reply cannot be read: ${said}`, {
    where,
    remedy: /\b(NaN|Infinity)\b/.test(said)
      ? 'It has numbers that JSON does not know, mostly among log-probabilities: ask without them (teacher.answers: votes).'
      : 'Check teacher.baseURL; it mostly ends with /v1.',
  });
}

/** 429 of an account that is empty, which no waiting fills. */
function isQuota(error: unknown): boolean {
  const { status, code } = error as ApiFailure;
  return status === 402 || (status === 429 && code === 'insufficient_quota');
}

function nameOf(error: unknown): string {
  return (error as Error | undefined)?.constructor?.name ?? '';
}

function isNetwork(error: unknown, name: string | undefined): boolean {
  return (
    name === 'AbortError' || (error instanceof TypeError && /fetch|network|terminated/i.test(error.message))
  );
}

function reasonOf(error: unknown): string {
  for (
    let at = error as ApiFailure | undefined, depth = 0;
    at && depth < 8;
    at = at.cause as ApiFailure, depth++
  )
    if (typeof at.code === 'string') return at.code;
  return 'no connection';
}
