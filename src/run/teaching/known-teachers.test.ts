import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useLiteTokenizer } from '../../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { LimbeckError } from '../../errors.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { requireTextTeacher, type TextDistillRecipe } from '../../recipe/schema.ts';
import {
  type KnownTeacher,
  recallTeacher,
  rememberTeacher,
  teacherKey,
  trainingChoice,
} from './known-teachers.ts';

const folder = temporaryFolders();
const teacher: KnownTeacher = {
  title: 'an encoder and a head',
  precision: 'int8',
  agreement: 0.98,
  hashes: { f32: 'aa', labelling: 'bb' },
};

describe('what is remembered of a teacher', () => {
  test('comes back under its key, and under no other', async () => {
    const store = await folder();
    rememberTeacher(store, 'k1', teacher);
    expect(recallTeacher(store, 'k1')).toEqual(teacher);
    expect(recallTeacher(store, 'k2')).toBeUndefined();
    rememberTeacher(store, 'k1', { ...teacher, precision: 'f32' });
    expect(recallTeacher(store, 'k1')?.precision).toBe('f32');
    expect(await readdir(join(store, 'teachers'))).toEqual(['k1.json']);
  });

  test('a damaged file, and one of another format, are as good as none', async () => {
    const store = await folder();
    rememberTeacher(store, 'k', teacher);
    for (const text of ['{"format":2,', '{}', JSON.stringify({ format: 1, ...teacher })]) {
      writeFileSync(join(store, 'teachers', 'k.json'), text);
      expect(recallTeacher(store, 'k')).toBeUndefined();
    }
  });

  test('a folder that cannot be written to is told', async () => {
    const store = await folder();
    writeFileSync(join(store, 'teachers'), 'a file where the folder should be');
    expect(() => rememberTeacher(store, 'k', teacher)).toThrow(LimbeckError);
    expect(recallTeacher(store, 'k')).toBeUndefined();
  });
});

describe('the key of a teacher', async () => {
  const tokenizer = await useLiteTokenizer();
  const source = (weight: number) => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 1]);
    g.output(g.mul(x, g.initializer('w', float32([weight], [1]))), 'y');
    return { model: g.build('encoder'), tokenizer: tokenizer.hash };
  };
  const recipe = (...lines: string[]): TextDistillRecipe => {
    const text = `name: a\ndata: { source: { kind: wordnet-glosses } }\nstudent: { kind: text-conv }\n${lines.join('\n')}`;
    const parsed = parseRecipe(text);
    requireTextTeacher(parsed);
    return parsed;
  };
  const keyOf = (text: string[], weight = 1, fingerprint = 'd', title = 'e') => {
    const chosen = recipe(...text);
    return teacherKey(
      { recipe: chosen, engine: { title } },
      source(weight),
      { fingerprint },
      trainingChoice(chosen.teacher),
    );
  };
  const plain = ['teacher: { kind: use-lite }'];

  test('is the same for the same, whatever the student is', () => {
    expect(keyOf(plain)).toBe(keyOf([...plain, 'training: { epochs: 3 }']));
  });

  test('is another for all that changes what the teacher becomes', () => {
    const keys = [
      keyOf(plain),
      keyOf([...plain, 'seed: 7']),
      keyOf(['teacher: { kind: use-lite, train: all }']),
      keyOf(['teacher: { kind: use-lite, precision: f32 }']),
      keyOf(['teacher: { kind: use-lite, head: { epochs: 2 } }']),
      keyOf(plain, 2),
      keyOf(plain, 1, 'other data'),
      keyOf(plain, 1, 'd', 'another engine'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
