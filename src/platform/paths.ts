import * as portable from 'pathe';
import { nodeModule } from './node-modules.ts';

/** What paths are made of and how they are taken apart: as the system does in Node, with slashes in a browser. */
interface Paths {
  readonly sep: string;
  basename(path: string, suffix?: string): string;
  dirname(path: string): string;
  extname(path: string): string;
  isAbsolute(path: string): boolean;
  join(...parts: string[]): string;
  normalize(path: string): string;
  relative(from: string, to: string): string;
  resolve(...parts: string[]): string;
}

const paths: Paths = nodeModule('node:path') ?? portable;

export const { sep, basename, dirname, extname, isAbsolute, join, normalize, relative, resolve } = paths;
