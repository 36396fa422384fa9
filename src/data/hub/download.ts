import { LimbeckError } from '../../errors.ts';
import { mkdir, rename, rm, stat } from '../../platform/async-files.ts';
import { closeSync, openSync, writeSync } from '../../platform/files.ts';
import { createSha1, createSha256 } from '../../platform/hash.ts';
import { dirname } from '../../platform/paths.ts';
import { streamRegularFile } from '../../regular-file.ts';
import { guardWrite, guardWriteAsync } from '../prepared/appending-file.ts';

/** A file to fetch, and what is known of it beforehand. */
export interface Download {
  url: string;
  /** Where it goes. */
  path: string;
  bytes: number;
  /** SHA-256 (hex) of the content, or the id of its git blob (SHA-1), for checking. */
  sha256?: string;
  gitBlob?: string;
  headers?: Record<string, string>;
}

/** How often an answer that breaks off is continued without having brought anything new. */
const IDLE_ATTEMPTS = 3;

/**
 * Downloads a file unless it is there already. What an earlier, interrupted download left in `<path>.part` is
 * continued by a range request; the content is checked before it gets its name.
 *
 * `fetch` is expected to retry by itself on 429 and 5xx. Throws LimbeckError `data.download`, `data.checksum`,
 * `data.disk-full`.
 */
export async function download(
  file: Download,
  fetch: typeof globalThis.fetch,
  signal?: AbortSignal,
): Promise<void> {
  if (await isIntact(file.path, file)) return;
  const part = `${file.path}.part`;
  await guardWriteAsync(part, () => mkdir(dirname(file.path), { recursive: true }));
  for (let attempt = 1; ; attempt++) {
    await fetchRest(file, part, fetch, signal);
    if (await isIntact(part, file)) break;
    // A part of an older version, or damage on the way: once more from the beginning.
    await rm(part, { force: true });
    if (attempt === 2) {
      throw new LimbeckError('data.checksum', 'the downloaded file is not what the hub says it is', {
        where: file.url,
        remedy: 'Try again; if it stays, something between you and the hub changes files.',
      });
    }
  }
  await rename(part, file.path);
}

async function fetchRest(
  file: Download,
  part: string,
  fetch: typeof globalThis.fetch,
  signal?: AbortSignal,
): Promise<void> {
  let idle = 0;
  let have = (await sizeOf(part)) ?? 0;
  if (have > file.bytes) {
    await rm(part);
    have = 0;
  }
  let problem: unknown;
  while (have < file.bytes || (file.bytes === 0 && (await sizeOf(part)) === undefined)) {
    if (idle === IDLE_ATTEMPTS) throw broken(file, have, problem);
    try {
      await fetchPart(file, part, have, fetch, signal);
      problem = new Error('the answer is shorter than the file');
    } catch (error) {
      if (signal?.aborted || error instanceof LimbeckError) throw error;
      problem = error;
    }
    const now = (await sizeOf(part)) ?? 0;
    idle = now > have ? 0 : idle + 1;
    have = now;
  }
}

async function fetchPart(
  { url, bytes, headers }: Download,
  part: string,
  have: number,
  fetch: typeof globalThis.fetch,
  signal?: AbortSignal,
): Promise<void> {
  const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await fetch(url, { headers: { ...headers, ...range }, signal: signal ?? null });
  if (!response.ok) throw answered(url, response.status);
  // A server that does not know ranges answers 200 with all of it.
  const continued = response.status === 206;
  const out = guardWrite(part, () => openSync(part, continued ? 'a' : 'w'));
  try {
    let written = continued ? have : 0;
    for await (const chunk of response.body ?? []) {
      // Never more than the file has, whatever the server sends.
      written += chunk.length;
      if (written > bytes) throw answered(url, response.status, `more than the ${bytes} bytes of the file`);
      for (let at = 0; at < chunk.length; ) {
        const from = at;
        at += guardWrite(part, () => writeSync(out, chunk, from));
      }
    }
  } finally {
    closeSync(out);
  }
}

async function isIntact(path: string, { sha256, gitBlob, bytes }: Download): Promise<boolean> {
  if ((await sizeOf(path)) !== bytes) return false;
  if (!sha256 && !gitBlob) return true;
  const hash = sha256 ? createSha256() : createSha1();
  if (!sha256) hash.update(`blob ${bytes}\0`);
  for await (const chunk of streamRegularFile(path)) hash.update(chunk);
  return hash.digest('hex') === (sha256 ?? gitBlob);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}

function answered(url: string, status: number, what?: string): LimbeckError {
  return new LimbeckError('data.download', `the server answered ${what ?? `with status ${status}`}`, {
    where: url,
    remedy:
      status === 401 || status === 403
        ? 'Set HF_TOKEN to a token that may read this. What is gated also wants its conditions accepted, on its page; a hub that only the recipe names gets no token (set HF_ENDPOINT to it).'
        : 'Check the name and the revision, or try again later.',
  });
}

function broken(file: Download, have: number, cause: unknown): LimbeckError {
  const why = reasonOf(cause);
  // Nothing to go on with: what is wrong is on the way to the file.
  const [problem, remedy] =
    have === 0
      ? [
          `the file cannot be downloaded: ${why}`,
          'Check the connection and where the hub redirects to, then run the same command again.',
        ]
      : [
          `the download broke off at byte ${have} of ${file.bytes}: ${why}`,
          'Run the same command again: it goes on where it stopped.',
        ];
  return new LimbeckError('data.download', problem, { where: file.url, remedy, cause });
}

/** `fetch failed` says little; its cause says why. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? `${message} (${cause.message})` : message;
}
