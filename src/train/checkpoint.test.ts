import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { CheckpointFolder } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint-file.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';
import { bitsOf, toyCheckpoints, toyTraining } from './testing/toy-training.ts';
import { trainStudent } from './training-loop.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (step: number) => join(folder, `step-${step}.safetensors`);
const tensors = new Map<string, Tensor>([
  [
    'weight',
    float32(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      [3, 4],
    ),
  ],
  [
    'weight/moment',
    float32(
      Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
      [3, 4],
    ),
  ],
]);
const at = (step: number): Checkpoint => ({ step, tensors, progress: `{"samples":${step}}` });

/** What is loaded, and what was said. */
function load(checkpoints = toyCheckpoints(folder)): { step?: number; said: string } {
  const said: string[] = [];
  const step = checkpoints.load((message) => said.push(message))?.step;
  return { ...(step === undefined ? {} : { step }), said: said.join('\n') };
}

/** Writes a checkpoint's file anew with something in it changed, as a program would that knows the format. */
function edit(
  step: number,
  change: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => void,
): void {
  const { tensors, metadata } = decodeSafetensors(readFileSync(file(step)), file(step));
  const edited = { tensors: new Map(tensors), metadata: { ...metadata } };
  change(edited.tensors, edited.metadata);
  writeFileSync(file(step), Buffer.concat(encodeSafetensors(edited)));
}

describe('a checkpoint', () => {
  beforeEach(() => {
    toyCheckpoints(folder).save(at(10));
    toyCheckpoints(folder).save(at(20));
  });

  it('is read as it was written', () => {
    const found = toyCheckpoints(folder).load(() => expect.fail('nothing is to be said'));
    expect(found).toMatchObject({ step: 20, progress: '{"samples":20}' });
    expect([...(found as Checkpoint).tensors]).toEqual([...tensors]);
  });

  it('is refused, whatever byte of it is changed', () => {
    const whole = readFileSync(file(20));
    const headerEnd = 8 + Number(whole.readBigUInt64LE(0));
    const random = randomStream(3, 'damage');
    for (let i = 0; i < 300; i++) {
      const damaged = Buffer.from(whole);
      const position = random.integer(whole.length);
      damaged[position] ^= 1 << random.integer(8);
      writeFileSync(file(20), damaged);
      const { step, said } = load();
      // Only the spaces that fill the header up may change, and change nothing.
      if (step === 20) expect(whole.toString('utf8', position, headerEnd).trim()).toBe('');
      else expect([step, said]).toEqual([10, expect.stringContaining('the one of step 10 is tried')]);
    }
  });

  it.each<[string, RegExp, Parameters<typeof edit>[1]]>([
    [
      'two flipped bits',
      /weight has another checksum/,
      (all) => {
        const { data } = all.get('weight') as Tensor;
        new Uint8Array((data as Float32Array).buffer)[5] ^= 0b101;
      },
    ],
    ['a missing tensor', /weight\/moment is missing/, (all) => all.delete('weight/moment')],
    ['a tensor more', /extra was added/, (all) => all.set('extra', float32([1], []))],
    [
      'a tensor of another shape',
      /weight has another shape/,
      (all) => all.set('weight', { ...(all.get('weight') as Tensor), dims: [4, 3] }),
    ],
    [
      'two tensors exchanged',
      /has another checksum/,
      (all) => {
        const [a, b] = ['weight', 'weight/moment'].map((name) => all.get(name) as Tensor);
        all.set('weight', b).set('weight/moment', a);
      },
    ],
    [
      'other counters',
      /description was changed/,
      (_, metadata) => {
        metadata.progress = '{"samples":99}';
      },
    ],
    [
      'another step',
      /description was changed/,
      (_, metadata) => {
        metadata.step = '21';
      },
    ],
    [
      'another list of tensors',
      /description was changed/,
      (_, metadata) => {
        metadata.tensors = '[]';
      },
    ],
    [
      'what older versions wrote',
      /not of the kind that this version of Limbeck writes/,
      (_, metadata) => {
        for (const name of Object.keys(metadata))
          if (!['step', 'progress'].includes(name)) delete metadata[name];
      },
    ],
  ])('with %s is refused, and the one before it is used', (_, problem, change) => {
    edit(20, change);
    const { step, said } = load();
    expect(step).toBe(10);
    expect(said).toMatch(problem);
    expect(said).toContain(file(20));
    // Once: it is out of the way now.
    expect(load()).toEqual({ step: 10, said: '' });
  });

  it('of another seed is refused, and kept for whom it belongs to', () => {
    expect(load(toyCheckpoints(folder, 2))).toEqual({
      said: expect.stringMatching(
        /another training: seed 1 \(here 2\).*step 10 is tried[\s\S]*the training starts anew/,
      ),
    });
    expect(readdirSync(folder)).toEqual(['step-10.safetensors.refused', 'step-20.safetensors.refused']);
  });

  it.each(['21', '99999999999', '9007199254740993', '007'])(
    'under the name of step %s is not taken for it',
    (step) => {
      const foreign = join(folder, `step-${step}.safetensors`);
      copyFileSync(file(20), foreign);
      expect(load().step).toBe(20);
      toyCheckpoints(folder).save(at(30));
      expect(load()).toEqual({ step: 30, said: '' });
    },
  );

  it('is read also through a link', () => {
    renameSync(file(20), join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), file(20));
    expect(load()).toEqual({ step: 20, said: '' });
  });

  it.skipIf(process.platform === 'win32')('that is a named pipe does not hold the run up', () => {
    execFileSync('mkfifo', [file(30)]);
    expect(load()).toEqual({ step: 20, said: expect.stringContaining('it is a named pipe, not a file') });
  });

  it('of other threads is gone on from, and it is said', () => {
    const moved = new CheckpointFolder(folder, { identity: { seed: '1' }, circumstances: { threads: '4' } });
    const { step, said } = load(moved);
    expect(step).toBe(20);
    expect(said).toMatch(/not to the same bits: its checkpoint was written with threads 1 \(here 4\)/);
  });
});

describe('a training', () => {
  const short = { peak: 0.01, totalSteps: 12, warmup: 0, decay: 'constant' } as const;
  const train = async (options: Parameters<typeof toyTraining>[0] = {}) => {
    const said: string[] = [];
    const result = await trainStudent(
      toyTraining({
        schedule: short,
        checkpoints: { folder: toyCheckpoints(folder), everySeconds: 0 },
        onWarning: (message) => said.push(message),
        ...options,
      }),
    );
    return { steps: result.steps, bits: bitsOf(result.parameters), said: said.join('\n') };
  };

  it('is not ended by a checkpoint of a step that it does not have', async () => {
    const whole = await train();
    rmSync(file(12));
    renameSync(file(11), file(99999999999));
    expect(await train()).toEqual({
      ...whole,
      said: expect.stringMatching(/is of step 11, not of step 99999999999.*the training starts anew/),
    });
  });

  it('starts anew, to the same bits, when no checkpoint is left that can be used', async () => {
    const whole = await train();
    for (const step of [11, 12]) edit(step, (all) => all.delete([...all.keys()][0] as string));
    const again = await train();
    expect(again.said).toMatch(/step 11 is tried[\s\S]*the training starts anew/);
    expect(again).toEqual({ ...whole, said: again.said });
  });

  it('does not begin a tensor in the middle that its checkpoint does not know', async () => {
    const whole = await train();
    // What another version of the loop might have left: sound, and of this training.
    const sealed = toyCheckpoints(folder);
    const { tensors, ...rest } = sealed.load(() => {}) as Checkpoint;
    const moment =
      [...tensors.keys()].find((name) => /moment|state|\/m$/.test(name)) ?? [...tensors.keys()].at(-1);
    sealed.save({ ...rest, tensors: new Map([...tensors].filter(([name]) => name !== moment)) });
    const again = await train();
    expect(again.said).toMatch(/does not fit: it has no .*the one of step 11 is tried/);
    expect(again.bits).toBe(whole.bits);
  });
});
