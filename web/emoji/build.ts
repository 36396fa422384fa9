import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { Sample } from '../../src/data/sample.ts';
import { emoji } from '../../src/data/sources/emoji.ts';
import { createNodeEngine } from '../../src/engine/node.ts';
import { TABS_FILE, type Tabs } from './scene-files.ts';
import { writeGallery, writeModel } from './write-gallery.ts';
import { writeScenes } from './write-scenes.ts';

/** Of onnxruntime-web: what a page loads beside its own script. */
const ORT_FILES = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

export interface PageParts {
  /** The folders that two runs left: `runs/emoji-teacher/student`, `runs/emoji/student`. */
  readonly teacher: string;
  readonly student: string;
  /** Where the page is written; any server of static files shows it. */
  readonly out: string;
  /** Drawings that are searched; all when absent. */
  readonly drawings?: number;
  /** The folders of two runs with three heads, for a second tab: `runs/scenes-heads-teacher`, `runs/scenes`. */
  readonly scenes?: { readonly teacher: string; readonly student: string };
}

/** Pictures of the second tab. */
const PICTURES = 24;

/** Builds the page: its script, the drawings, and both models with their vectors of them. */
export async function buildPage({ teacher, student, out, drawings, scenes }: PageParts): Promise<void> {
  await build({
    root: import.meta.dirname,
    base: './',
    logLevel: 'warn',
    build: { outDir: out, emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 2000 },
  });
  const ort = dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm')));
  mkdirSync(join(out, 'ort'), { recursive: true });
  for (const name of ORT_FILES) copyFileSync(join(ort, name), join(out, 'ort', name));
  const samples = await drawn(drawings);
  await writeGallery(out, samples);
  const engine = createNodeEngine();
  await writeModel(join(out, 'teacher'), { engine, title: 'Teacher', student: teacher, samples });
  await writeModel(join(out, 'student'), { engine, title: 'Student', student, samples });
  const tabs: Tabs = { scenes: scenes !== undefined };
  writeFileSync(join(out, TABS_FILE), JSON.stringify(tabs));
  if (scenes) await writeScenes(out, scenes, PICTURES);
}

async function drawn(count = Number.POSITIVE_INFINITY): Promise<Sample[]> {
  const source = await emoji.open(emoji.options.parse({ skinTones: false, countries: false }), {
    resolvePath: (path) => path,
    cacheFolder: '',
  });
  const samples: Sample[] = [];
  for await (const row of source.rows()) {
    if ('sample' in row) samples.push(row.sample);
    if (samples.length >= count) break;
  }
  return samples;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [teacher, student, out, ...scenes] = process.argv.slice(2);
  if (!teacher || !student || !out || (scenes.length !== 0 && scenes.length !== 2)) {
    console.error(
      [
        'npm run page:emoji -- TEACHER STUDENT OUT [RUN RUN]',
        '  runs/emoji-teacher/student runs/emoji/student page',
        '  runs/scenes-heads-teacher runs/scenes: a second tab, of a teacher and a student with three heads',
      ].join('\n'),
    );
    process.exit(2);
  }
  const [first, second] = scenes;
  await buildPage({
    teacher,
    student,
    out,
    ...(first && second && { scenes: { teacher: first, student: second } }),
  });
}
