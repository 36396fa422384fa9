import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRecipe } from '../src/recipe/parse.ts';

const PAGES = join(import.meta.dirname, '../docs/pairs');

test.each(readdirSync(PAGES))(
  'docs/pairs/%s has a recipe with a teacher, and links that lead somewhere',
  (page) => {
    const text = readFileSync(join(PAGES, page), 'utf8');
    const [, recipe] = /^```yaml\n([\s\S]*?)^```$/m.exec(text) ?? [];
    expect(parseRecipe(recipe as string).teacher).toBeDefined();
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)[^)]*\)/g))
      if (!link?.startsWith('http')) expect(existsSync(join(PAGES, link as string)), link).toBe(true);
  },
);
