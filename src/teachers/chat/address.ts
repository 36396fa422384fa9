import { LimbeckError } from '../../errors.ts';

/**
 * Reads where an API is.
 *
 * @throws LimbeckError `recipe.invalid` for anything but http and https, for a name or password in it (it would be written
 *   into every file of the run), and for what comes after `?` or `#`
 */
export function endpointAddress(baseURL: string): URL {
  const where = 'teacher.baseURL';
  let url: URL;
  try {
    url = new URL(baseURL);
  } catch {
    throw new LimbeckError('recipe.invalid', 'the base URL of the teacher is no URL', {
      where,
      remedy: 'Give one like https://api.openai.com/v1.',
    });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new LimbeckError(
      'recipe.invalid',
      `the teacher is reached by https or http, not by ${url.protocol}`,
      {
        where,
        remedy: 'Give a base URL like https://api.openai.com/v1.',
      },
    );
  if (url.username !== '' || url.password !== '')
    throw new LimbeckError('recipe.invalid', 'the base URL of the teacher holds a name or a password', {
      where,
      remedy:
        'Take it out: it would be written into the files of the run. A key comes from the environment (teacher.key).',
    });
  if (url.search !== '' || url.hash !== '')
    throw new LimbeckError('recipe.invalid', 'the base URL of the teacher has more than a path', {
      where,
      remedy: 'Leave out what comes after ? or #.',
    });
  return url;
}

/** The same place in one spelling: without the slashes at the end. */
export function plainAddress(url: URL): string {
  return url.href.replace(/\/+$/, '');
}

/** `gpt-x at api.example.com`. */
export function hostedTitle({
  model,
  baseURL,
}: {
  readonly model: string;
  readonly baseURL: string;
}): string {
  return `${model} at ${endpointAddress(baseURL).host}`;
}
