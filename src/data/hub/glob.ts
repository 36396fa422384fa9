import { LimbeckError } from '../../errors.ts';
import { withinSeconds } from '../../limited-time.ts';

/** Whether a path matches a pattern with `*`, `?` (within a name), `**` (any depth), `[abc]` and `{a,b}`. */
export function matchesGlob(path: string, pattern: string): boolean {
  let source = '';
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (pattern.startsWith('**/', i)) {
      source += '(?:.*/)?';
      i += 2;
    } else if (pattern.startsWith('**', i)) {
      source += '.*';
      i++;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[' && pattern.indexOf(']', i) > i + 1) {
      const end = pattern.indexOf(']', i);
      const set = pattern
        .slice(i + 1, end)
        .replace(/[\\^[]/g, '\\$&')
        .replace(/^!/, '^');
      source += `[${set}]`;
      i = end;
    } else if (char === '{') {
      source += '(?:';
      depth++;
    } else if (char === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (char === ',' && depth > 0) source += '|';
    else source += char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  }
  source += ')'.repeat(depth);
  const slow = () =>
    new LimbeckError('data.options', `the pattern '${pattern}' takes too long to be compared with a path`, {
      where: path,
      remedy: 'Name the files, or use fewer stars.',
    });
  try {
    return withinSeconds(1, () => new RegExp(`^(?:${source})$`).test(path), slow);
  } catch (error) {
    if ((error as Error).name !== 'SyntaxError') throw error;
    // As in a shell: what is not a pattern is a name.
    return pattern === path;
  }
}
