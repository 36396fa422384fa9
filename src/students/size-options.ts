import { z } from 'zod';

/** A whole number from 1, with its default. */
export function size(most: number, value: number, about: string) {
  return z.int().positive().max(most).default(value).describe(about);
}

/** One that follows from other sizes where it is not given. */
export function freeSize(most: number, about: string) {
  return z.int().positive().max(most).optional().describe(about);
}
