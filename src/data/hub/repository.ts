import { datasetInfo, HubApiError, listFiles } from '@huggingface/hub';
import { LimbeckError } from '../../errors.ts';
import { ENVIRONMENT } from '../../platform/machine.ts';
import { join, normalize, sep } from '../../platform/paths.ts';
import { type Download, download } from './download.ts';
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

/** A data set's repository at one commit. */
export interface HubDataset {
  name: string;
  /** The commit that the revision means now. */
  sha: string;
  files: HubFile[];
  /** Downloads a file into `folder` (kept from run to run) and gives its path there. */
  fetchFile(file: HubFile, folder: string): Promise<string>;
}

/**
 * Looks up a data set on a Hugging Face hub: its commit and its files. Throws LimbeckError `data.not-found`,
 * `data.forbidden`, `data.download`.
 */
export async function hubDataset(name: string, revision: string, options: HubOptions): Promise<HubDataset> {
  const withoutSlash = (url: string) => url.replace(/\/+$/, '');
  const ownHub = withoutSlash(ENVIRONMENT.HF_ENDPOINT ?? PUBLIC_HUB);
  const hubUrl = withoutSlash(options.endpoint ?? ownHub);
  const trusted = hubUrl === ownHub || hubUrl === PUBLIC_HUB;
  const accessToken = options.token ?? (trusted ? ENVIRONMENT.HF_TOKEN : undefined);
  const { signal } = options;
  const fetch = retryingFetch(options);
  const signalled: typeof fetch = (input, init) => fetch(input, { ...init, signal: signal ?? null });
  const access = { hubUrl, fetch: signalled, ...(accessToken && { accessToken }) };

  return asking(name, revision, hubUrl, signal, async () => {
    const { sha } = await datasetInfo({ name, revision, additionalFields: ['sha'], ...access });
    // It names a folder of the cache, so it must be nothing but a commit.
    if (!/^[0-9a-f]{40,64}$/.test(sha)) {
      throw new LimbeckError('data.download', `the hub names '${sha}' as the commit, which is none`, {
        where: `${hubUrl}/datasets/${name}, revision ${revision}`,
        remedy: 'Check data.source.endpoint (or HF_ENDPOINT): this is no Hugging Face hub.',
      });
    }
    const files: HubFile[] = [];
    const repo = { type: 'dataset', name } as const;
    for await (const { type, path, size, oid, lfs } of listFiles({
      repo,
      recursive: true,
      revision: sha,
      ...access,
    })) {
      if (type !== 'file') continue;
      files.push({
        path,
        bytes: lfs?.size ?? size,
        ...(lfs ? { sha256: lfs.oid } : oid && { gitBlob: oid }),
      });
    }
    return {
      name,
      sha,
      files,
      async fetchFile(file, folder) {
        const url = `${hubUrl}/datasets/${name}/resolve/${sha}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
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
    throw new LimbeckError('data.unsafe-path', `the file name '${path}' leads out of the data set`, {
      where: url,
      remedy: 'Do not use this data set.',
    });
  }
  return join(folder, inside);
}

async function asking<T>(
  name: string,
  revision: string,
  hubUrl: string,
  signal: AbortSignal | undefined,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (signal?.aborted || cause instanceof LimbeckError) throw cause;
    const status = cause instanceof HubApiError ? cause.statusCode : undefined;
    const where = `${hubUrl}/datasets/${name}, revision ${revision}`;
    if (status === 404) {
      throw new LimbeckError('data.not-found', `there is no data set '${name}' on the hub`, {
        where,
        remedy: 'Write the name as owner/name, check the revision, and HF_ENDPOINT if it is set.',
        cause,
      });
    }
    if (status === 401 || status === 403) {
      throw new LimbeckError('data.forbidden', `the hub does not let you read '${name}', if it is there`, {
        where,
        remedy: 'Check the name; for a gated or private data set, set HF_TOKEN to a token that may read it.',
        cause,
      });
    }
    throw new LimbeckError('data.download', `the hub cannot be asked: ${reason(cause)}`, {
      where,
      remedy: 'Check the connection (and HF_ENDPOINT, if it is set), or try again later.',
      cause,
    });
  }
}

/** `fetch failed` says little; its cause says why. */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
