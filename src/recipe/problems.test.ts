import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { checkRecipe, parseRecipe } from './parse.ts';
import { RecipeError } from './problems.ts';

const RECIPES = resolve(import.meta.dirname, '../../recipes');
const recipeOf = (name: string) => parse(readFileSync(resolve(RECIPES, name), 'utf8')) as Section;

type Section = Record<string, unknown>;
type Path = (string | number)[];

function problemsOf(value: unknown): { path: string; message: string }[] {
  try {
    checkRecipe(value);
    return [];
  } catch (error) {
    if (error instanceof RecipeError) return [...error.problems];
    throw error;
  }
}

function messageOf(name: string, changes: Section): string {
  return problemsOf({ ...recipeOf(name), ...changes })
    .map(({ path, message }) => `${path}: ${message}`)
    .join('\n');
}

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return [
    ...(path.length > 0 ? [path] : []),
    ...entries.flatMap(([key, child]) => pathsOf(child, [...path, key])),
  ];
}

function withValue(whole: Section, path: Path, value: unknown): Section {
  const copy = structuredClone(whole);
  let at: unknown = copy;
  for (const step of path.slice(0, -1)) at = (at as Section)[step];
  (at as Section)[path.at(-1) as string] = value;
  return copy;
}

/** What zod, or JavaScript, says of a value that it does not take. */
const RAW =
  /Too (big|small)|Invalid|Unrecognized|undefined|\[object|received|expected expected|another value/;

it.each(['emoji.yaml', 'chat-teacher.yaml', 'scenes-boxes.yaml'])(
  'tells each wrong value of %s in a plain sentence that ends',
  (name) => {
    const whole = recipeOf(name);
    const odd: string[] = [];
    let told = 0;
    for (const path of pathsOf(whole)) {
      for (const bad of [-1e99, '', null, [], ['a', 3], { zzz: 1 }]) {
        for (const { path: place, message } of problemsOf(withValue(whole, path, bad))) {
          told++;
          if (RAW.test(message) || message.length > 500) odd.push(`${place}: ${message}`);
        }
      }
    }
    expect(odd).toEqual([]);
    expect(told).toBeGreaterThan(100);
  },
);

describe('a recipe by which nothing would be learnt', () => {
  test('of pairs is told the losses of pairs', () => {
    const losses =
      "nothing would be learnt; name a loss for the output 'pairs' (target pairs): infoNce, marginContrastive, affinityKd";
    expect(messageOf('emoji.yaml', { objective: undefined })).toBe(`objective: ${losses}`);
    expect(messageOf('emoji.yaml', { objective: [] })).toBe(`objective: ${losses}`);
    expect(messageOf('emoji.yaml', { objective: {} })).toBe(`objective: all weights are 0: ${losses}`);
  });

  test('without a teacher and without a truth is told both ways', () => {
    expect(messageOf('embeddings.yaml', { teacher: undefined })).toMatch(
      /name a teacher, or the column that holds the truth/,
    );
  });

  test('is told the misspelt loss alone', () => {
    expect(messageOf('emoji.yaml', { objective: { infonce: { weight: 1 } } })).toBe(
      'objective.infonce: unknown key',
    );
  });
});

test('keys of sections of names are told with what is wrong below them', () => {
  const { inputs } = recipeOf('emoji.yaml') as { inputs: { text: Section; image: Section } };
  const wrong = {
    inputs: { ...inputs, text: { ...inputs.text, modality: 'txt' }, image: { ...inputs.image, size: 'x' } },
  };
  expect(messageOf('emoji.yaml', wrong)).toBe(
    "inputs.text.modality: expected one of 'text', 'image', 'audio', but it is 'txt'\n" +
      "inputs.image.size: expected a whole number from 1 to 4096, or a section with keys height, width, but it is 'x'",
  );
});

test("a tokenizer is named for texts alone: beside images they are read by the teacher's", () => {
  const { inputs } = recipeOf('emoji.yaml') as { inputs: { text: Section; image: Section } };
  const own = { inputs: { ...inputs, text: { ...inputs.text, tokenizer: 'tokenizer.json' } } };
  expect(messageOf('emoji.yaml', own)).toBe(
    "inputs.text.tokenizer: texts beside other inputs are read by the teacher's tokenizer: leave the key out",
  );
});

test('of many names those are shown that look like what was typed', () => {
  expect(messageOf('emoji.yaml', { objective: [{ kind: 'infoNC' }] })).toMatch(
    /^objective\[0\]\.kind: expected one of 'infoNce', .* and \d+ more, but it is 'infoNC'$/,
  );
});

test('outputs that a loss about two of them names, and that there are not', () => {
  expect(
    messageOf('emoji.yaml', { objective: [{ kind: 'infoNce', outputs: ['text', 'image_embeds'] }] }),
  ).toBe("objective[0].outputs[0]: there is no output 'text': pairs, text_embeds, image_embeds");
});

test('of a section among several the keys say which is meant: its own problem is told', () => {
  const keep = (text: string) => {
    try {
      parseRecipe(
        `name: lm\ntask: text-generation\ndata: { source: { kind: jsonl, path: a.jsonl } }\ninputs: { text: { modality: text, field: text } }\noutputs: { logits: { target: next-tokens, field: text, keep: ${text} } }\nteacher: { kind: onnx, model: teacher, train: none }\nstudent: { kind: gpt2, width: 8, heads: 2, layers: 1 }\n`,
      );
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  expect(keep('{ sorted: 100000 }')).toBe(
    'outputs.logits.keep.sorted: expected a whole number from 1 to 4096, but it is 100000',
  );
  expect(keep('{ sampled: 0, power: 1 }')).toContain('keep.sampled: expected a whole number from 1 to 4096');
  expect(keep('{ sampled: 4, powre: 1 }')).toContain('outputs.logits.keep.powre: unknown key');
  expect(keep('{ power: 1 }')).toContain('outputs.logits.keep.sampled: is missing');
  expect(keep('{ likeliest: 8, sampled: 8 }')).toBe(
    'outputs.logits.keep: likeliest, sampled exclude each other: give one of them',
  );
  expect(keep('{ likeliest: 8, sampled: 8, power: 1, sorted: 3 }')).toBe(
    'outputs.logits.keep: likeliest, sampled and power, sorted exclude each other: give one of them',
  );
  expect(keep('everything')).toMatch(
    /outputs\.logits\.keep: expected 'all', or a section with keys likeliest/,
  );
});

test('places of lists are written alike by whoever finds a problem there', () => {
  const compress = [{ kind: 'prune' }, { kind: 'qat', block: 32 }];
  expect(messageOf('emoji.yaml', { compress })).toContain('compress[1]: `block` is for `bits: 4`');
});
