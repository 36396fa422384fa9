import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { randomStream } from '../src/random.ts';
import { layeredModel } from '../src/teachers/testing/layered-model.ts';
import { type LimitedEnd, limitedProcess, limiter } from './limited-process.ts';
import type { Proof } from './proof.ts';
import { markdownTable } from './statistics.ts';

const FOLDER = fileURLToPath(new URL('../runs/proof/larger-than-memory', import.meta.url));
const CHILD = fileURLToPath(new URL('larger-than-memory-child.ts', import.meta.url));

/** 24 layers of width 1024: 302 million parameters. */
const TEACHER = { layers: 24, width: 1024, heads: 16, vocabulary: 41, positions: 16, classes: 2 };
/** What the process that distils may take in all, and of that its teacher. */
const LIMIT = 400e6;
const MEMORY = '120MB';

interface Told {
  readonly highWaterMark: number;
  readonly labelSeconds: number;
  readonly parts?: string;
  readonly steps: number;
}

/** A teacher several times larger than the memory of the process that it teaches in. */
export const largerThanMemory: Proof = {
  name: 'larger-than-memory',
  title: 'A teacher larger than memory',
  async run(log) {
    const bytes = prepare();
    log(`the teacher has ${gigabytes(bytes)} GB`);
    const whole = await child('whole', undefined, undefined, log);
    const parts = await child('parts', MEMORY, LIMIT, log);
    const limited = await child('whole-limited', undefined, LIMIT, log);
    const [ofWhole, ofParts] = [told(whole), told(parts)];
    const failed = limited.code !== 0;
    const students = ['whole', 'parts'].map((name) => join(FOLDER, name, 'student', 'onnx', 'model.onnx'));
    const same =
      students.every((file) => existsSync(file)) &&
      readFileSync(students[0] as string).equals(readFileSync(students[1] as string));
    const how = limiter();
    const row = (name: string, limit: string, end: LimitedEnd, found: Told | undefined) => [
      name,
      limit,
      found ? `${megabytes(found.highWaterMark)} MB` : '',
      found ? `${found.labelSeconds.toFixed(0)} s` : '',
      found ? 'a student of 20 steps' : `ended by ${end.signal ?? `exit code ${end.code}`}`,
    ];
    return {
      table: markdownTable([
        ['the teacher', 'memory given', 'most that was held', 'labelling', 'end'],
        row('whole', 'all', whole, ofWhole),
        row('whole', `${megabytes(LIMIT)} MB`, limited, failed ? undefined : told(limited)),
        row(`in parts (\`memory: ${MEMORY}\`)`, `${megabytes(LIMIT)} MB`, parts, ofParts),
      ]),
      text:
        `A made teacher, built as BERT is, with drawn weights: ${TEACHER.layers} layers of width ${TEACHER.width}, ${gigabytes(bytes)} GB of float32, ${(bytes / LIMIT).toFixed(1)} times the memory that the process is given (a ${how}). It teaches a small transformer with its classes and a hidden state: 64 training texts of 6 tokens, 16 for validation, 16 for the test; every run is a process of its own. ` +
        `The most that was held is VmHWM, which counts mapped files, too; all processes have MALLOC_ARENA_MAX=1 and MALLOC_MMAP_THRESHOLD_=262144, without which glibc keeps freed weights (about 450 MB instead of 190 MB of private memory, measured by hand). In parts: ${ofParts?.parts ?? 'it failed'}. ` +
        `What it costs besides memory: parts are loaded anew for the check of the teacher, its labels, its test answers and each of the calls that time it.`,
      claims: [
        { text: 'the weights are at least three times the memory that is given', holds: bytes >= 3 * LIMIT },
        {
          text: `loaded whole, the teacher needs more than its weights, and fails within ${megabytes(LIMIT)} MB`,
          holds: failed && (ofWhole?.highWaterMark ?? 0) > bytes,
        },
        {
          text: `in parts it teaches within ${megabytes(LIMIT)} MB`,
          holds:
            parts.code === 0 &&
            (how === 'prlimit --data' || (ofParts?.highWaterMark ?? Number.POSITIVE_INFINITY) < 1.3 * LIMIT),
        },
        {
          text: 'the student is the same as that of the whole teacher, bit by bit',
          holds: same && ofParts?.steps === 20,
        },
      ],
    };
  },
};

/** The teacher's folder and the texts; the teacher's bytes. */
function prepare(): number {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(join(FOLDER, 'teacher'), { recursive: true });
  const words = Array.from({ length: 40 }, (_, i) => `${'bcdfghjk'[i % 8]}${'aeiou'[Math.floor(i / 8)]}`);
  const vocab = ['<unk>', ...words.map((word) => `▁${word}`)].map((piece, i) => [piece, -i / 100]);
  const normalizers = [
    { type: 'Prepend', prepend: '▁' },
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  ];
  const tokenizer = {
    version: '1.0',
    added_tokens: [],
    normalizer: { type: 'Sequence', normalizers },
    model: { type: 'Unigram', unk_id: 0, vocab, byte_fallback: false },
  };
  writeFileSync(join(FOLDER, 'teacher', 'tokenizer.json'), JSON.stringify(tokenizer));
  const file = join(FOLDER, 'teacher', 'model.onnx');
  writeModelFile(file, layeredModel(TEACHER), { externalData: true });
  const random = randomStream(1, 'texts');
  const rows = Array.from({ length: 96 }, (_, row) => {
    const text = Array.from({ length: 6 }, () => words[random.integer(40)]).join(' ');
    return JSON.stringify({ text, label: row % 2 === 0 ? 'LABEL_0' : 'LABEL_1' });
  });
  writeFileSync(join(FOLDER, 'rows.jsonl'), rows.join('\n'));
  return statSync(`${file}_data`).size;
}

/** A run in a process of its own. The recipe is JSON, which is YAML, too. */
async function child(
  name: string,
  memory: string | undefined,
  limit: number | undefined,
  log: (line: string) => void,
): Promise<LimitedEnd> {
  const recipe = {
    name: 'larger-than-memory',
    data: {
      source: { kind: 'jsonl', path: 'rows.jsonl' },
      splits: { validation: 16, test: 16 },
      maxLength: 6,
      buckets: [6],
    },
    teacher: {
      kind: 'onnx',
      model: 'teacher',
      precision: 'f32',
      labels: ['LABEL_0', 'LABEL_1'],
      // Its weights are drawn: it knows nothing of these classes.
      atChance: 'warn',
      ...(memory !== undefined && { memory }),
    },
    student: { kind: 'bert', layers: 2, width: 64, heads: 4 },
    objective: { kd: { weight: 0.8 }, hidden: { weight: 0.2 } },
    training: { epochs: 5, batchSize: 16, earlyStopping: false },
    export: { int8: false },
  };
  const began = performance.now();
  const args = ['--import', 'tsx', CHILD, JSON.stringify(recipe), FOLDER, join(FOLDER, name)];
  const end = await limitedProcess(args, limit);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  log(`${name}: ${end.signal ?? `exit code ${end.code}`} after ${seconds} s ${end.stdout.trim()}`);
  if (end.code !== 0) log(end.stderr.trim().split('\n').slice(-4).join('\n'));
  return end;
}

function told({ code, stdout }: LimitedEnd): Told | undefined {
  return code === 0 ? (JSON.parse(stdout.trim().split('\n').at(-1) as string) as Told) : undefined;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
