import { datasetInfo, HubApiError, listFiles, modelInfo } from '@huggingface/hub';
import { LimbeckError } from '../../errors.ts';
import { ENVIRONMENT } from '../../platform/machine.ts';
import { join, normalize, sep } from '../../platform/paths.ts';
import { type Download, download, reasonOf } from './download.ts';
import { type RetryOptions, retryingFetch } from './retrying-fetch.ts';

export interface HubOptions extends RetryOptions {
  /** `https://huggingface.co`, or HF_ENDPOINT, when absent. */
  endpoint?: string;
  /** HF_TOKEN when absent, and only for a hub that the person chose: an `endpoint` may come from a stranger's recipe. */
  token?: string;
  signal?: AbortSignal;
}

const PUBLIC_HUB = 'https://huggingface.co';

/** A file in a repository on the hub. */
export interface HubFile {
  path: string;
  bytes: number;
  sha256?: string;
  gitBlob?: string;
}

/** A repository at one commit. */
export interface HubRepository {
  name: string;
  /** The hub's address, without a slash at its end. */
  hubUrl: string;
  /** The commit that the revision means now. */
  sha: string;
  files: HubFile[];
  /** Downloads a file into `folder` (kept from run to run) and gives its path there. */
  fetchFile(file: HubFile, folder: string): Promise<string>;
}

/** What repositories hold, as addresses and people have it. */
const KINDS = {
  dataset: { folder: 'datasets/', title: 'data set', code: 'data', key: 'data.source.endpoint' },
  model: { folder: '', title: 'model', code: 'teacher', key: 'teacher.endpoint' },
} as const;
type Kind = keyof typeof KINDS;

/**
 * Looks up a data set on a Hugging Face hub: its commit and its files. Throws LimbeckError `data.not-found`,
 * `data.forbidden`, `data.download`.
 */
export function hubDataset(name: string, revision: string, options: HubOptions): Promise<HubRepository> {
  return hubRepository('dataset', name, revision, options);
}

/** The same for a model. Throws LimbeckError `teacher.not-found`, `teacher.forbidden`, `data.download`. */
export function hubModel(name: string, revision: string, options: HubOptions): Promise<HubRepository> {
  return hubRepository('model', name, revision, options);
}

/** The hub that is asked, and whether it is one that the person chose: the public one, or that of HF_ENDPOINT. */
export function hubAddress(endpoint: string | undefined): { hubUrl: string; trusted: boolean } {
  const withoutSlash = (url: string) => url.replace(/\/+$/, '');
  const ownHub = withoutSlash(ENVIRONMENT.HF_ENDPOINT ?? PUBLIC_HUB);
  const hubUrl = withoutSlash(endpoint ?? ownHub);
  return { hubUrl, trusted: hubUrl === ownHub || hubUrl === PUBLIC_HUB };
}

async function hubRepository(
  kind: Kind,
  name: string,
  revision: string,
  options: HubOptions,
): Promise<HubRepository> {
  const { hubUrl, trusted } = hubAddress(options.endpoint);
  const accessToken = options.token ?? (trusted ? ENVIRONMENT.HF_TOKEN : undefined);
  const { signal } = options;
  const fetch = retryingFetch(options);
  const signalled: typeof fetch = (input, init) => fetch(input, { ...init, signal: signal ?? null });
  const access = { hubUrl, fetch: signalled, ...(accessToken && { accessToken }) };
  const address = `${hubUrl}/${KINDS[kind].folder}${name}`;

  const hub = { hubUrl, trusted, revision };
  return asking(kind, { name, where: `${address}, revision ${revision}`, signal, hub }, async () => {
    const { sha } =
      kind === 'dataset'
        ? await datasetInfo({ name, revision, additionalFields: ['sha'], ...access })
        : await modelInfo({ name, revision, additionalFields: ['sha'], ...access });
    // It names a folder of the cache, so it must be nothing but a commit.
    if (!/^[0-9a-f]{40,64}$/.test(sha)) {
      throw new LimbeckError('data.download', `the hub names '${sha}' as the commit, which is none`, {
        where: `${address}, revision ${revision}`,
        remedy: `Check ${KINDS[kind].key} (or HF_ENDPOINT): this is no Hugging Face hub.`,
      });
    }
    const files: HubFile[] = [];
    for await (const { type, path, size, oid, lfs } of listFiles({
      repo: { type: kind, name },
      recursive: true,
      revision: sha,
      ...access,
    })) {
      if (type !== 'file') continue;
      const bytes: unknown = lfs?.size ?? size;
      if (typeof path !== 'string' || !Number.isSafeInteger(bytes) || (bytes as number) < 0) {
        throw new LimbeckError('data.download', `the hub lists '${path}' with ${bytes} bytes`, {
          where: `${address}, revision ${revision}`,
          remedy: `Check ${KINDS[kind].key} (or HF_ENDPOINT): this is no Hugging Face hub.`,
        });
      }
      files.push({
        path,
        bytes: bytes as number,
        ...(lfs ? { sha256: lfs.oid } : oid && { gitBlob: oid }),
      });
    }
    return {
      name,
      hubUrl,
      sha,
      files,
      async fetchFile(file, folder) {
        const url = `${address}/resolve/${sha}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
        const target: Download = {
          ...file,
          url,
          path: insideOf(folder, file.path, url),
          headers: accessToken ? { authorization: `Bearer ${accessToken}` } : {},
        };
        await download(target, fetch, signal);
        return target.path;
      },
    };
  });
}

/** A repository's file names are not ours: none may lead out of the folder. */
function insideOf(folder: string, path: string, url: string): string {
  const inside = normalize(path);
  if (inside.startsWith('..') || inside.startsWith(sep) || inside.includes('\0') || /^[a-z]:/i.test(inside)) {
    throw new LimbeckError('data.unsafe-path', `the file name '${path}' leads out of its folder`, {
      where: url,
      remedy: 'Do not use this repository.',
    });
  }
  return join(folder, inside);
}

interface Asked {
  readonly name: string;
  readonly where: string;
  readonly signal: AbortSignal | undefined;
  readonly hub: { readonly hubUrl: string; readonly trusted: boolean; readonly revision: string };
}

function problemOf(cause: unknown, status: number | undefined): string {
  if (status === 429) return 'the hub takes no more requests for now (status 429)';
  if (status !== undefined) return `the hub answers with status ${status}`;
  if (cause instanceof SyntaxError)
    return 'the hub answers with something that is no JSON, a page to log in, say';
  // What fetch throws has a cause.
  if (cause instanceof TypeError && cause.cause === undefined)
    return 'the hub answers with something that hubs do not say';
  return `the hub cannot be asked: ${reasonOf(cause)}`;
}

async function asking<T>(kind: Kind, { name, where, signal, hub }: Asked, ask: () => Promise<T>): Promise<T> {
  const { title, code } = KINDS[kind];
  try {
    return await ask();
  } catch (cause) {
    if (signal?.aborted || cause instanceof LimbeckError) throw cause;
    const status = cause instanceof HubApiError ? cause.statusCode : undefined;
    if (status === 404) {
      const named = hub.revision === 'main' ? '' : ` with the revision '${hub.revision}'`;
      throw new LimbeckError(`${code}.not-found`, `there is no ${title} '${name}'${named} on the hub`, {
        where,
        remedy: 'Write the name as owner/name, check the revision, and HF_ENDPOINT if it is set.',
        cause,
      });
    }
    if (status === 401 || status === 403) {
      throw new LimbeckError(`${code}.forbidden`, `the hub does not let you read '${name}', if it is there`, {
        where,
        remedy: `Check the name; for a gated or private ${title}, ${hub.trusted ? '' : `set HF_ENDPOINT to ${hub.hubUrl} (a hub that only the recipe names gets no token), and `}set HF_TOKEN to a token that may read it.`,
        cause,
      });
    }
    throw new LimbeckError('data.download', problemOf(cause, status), {
      where,
      remedy: 'Check the connection (and HF_ENDPOINT, if it is set), or try again later.',
      cause,
    });
  }
}
