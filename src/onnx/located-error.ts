import { LimbeckError } from '../errors.ts';

/** Runs `body`; what it throws as a LimbeckError says also where the whole of it happened. */
export function locating<T>(where: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof LimbeckError)) throw error;
    const { code, message, remedy, cause } = error;
    throw new LimbeckError(code, message, {
      where: error.where ? `${where}: ${error.where}` : where,
      ...(remedy !== undefined && { remedy }),
      cause,
    });
  }
}
