import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import sharp from 'sharp';
import { PIXEL_VALUES } from '../../src/data/columns.ts';
import type { Sample } from '../../src/data/sample.ts';
import { openSource, type SourceOptions } from '../../src/data/sources/index.ts';
import { openModelFile } from '../../src/onnx/node-files.ts';
import { zeros } from '../../src/onnx/tensor.ts';
import { reopenRun } from '../../src/run/context/finished-run.ts';
import { writerFacts } from '../../src/targets/writer-facts.ts';
import { imageProcessorOf } from './image-processor.ts';
import {
  LOOKING_FILE,
  PIXELS_FILE,
  SCENE_FACTS_FILE,
  SCENES_FILE,
  SCENES_FOLDER,
  type SceneModelFacts,
  type Scenes,
  STRIP_FILE,
  WRITING_FILE,
} from './scene-files.ts';

/** Where a garment is, as the source of scenes says it: the corner at the left and top, as parts of the sides. */
interface TrueBox {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Scene {
  readonly image: { readonly pixels: Uint8Array; readonly dims: readonly [number, number, number] };
  readonly boxes: readonly TrueBox[];
  readonly text: string;
}

/**
 * Writes what the second tab needs: test scenes of the student's run, and both models with the scenes as they read them.
 *
 * @param runs the folders of two runs with outputs of the targets boxes and sentence
 */
export async function writeScenes(
  out: string,
  runs: { readonly teacher: string; readonly student: string },
  count: number,
): Promise<void> {
  const folder = join(out, SCENES_FOLDER);
  mkdirSync(folder, { recursive: true });
  const samples = (await testScenes(runs.student, count)).map(({ values }) => values as unknown as Scene);
  const side = (samples[0] as Scene).image.dims[1];
  const facts: Scenes = {
    side,
    pictures: samples.map(({ boxes, text }) => ({
      sentence: text,
      boxes: boxes.map(({ label, x, y, width, height }) => ({ label, box: [x, y, x + width, y + height] })),
    })),
  };
  writeFileSync(join(folder, SCENES_FILE), JSON.stringify(facts));
  writeFileSync(join(folder, STRIP_FILE), await strip(samples, side));
  for (const [name, title] of [
    ['teacher', 'Teacher'],
    ['student', 'Student'],
  ] as const)
    await writeSceneModel(join(folder, name), title, join(runs[name], 'student'), samples);
}

/** The first test samples of a run, from its own source. */
async function testScenes(run: string, count: number): Promise<Sample[]> {
  const { recipe, options } = reopenRun(run);
  const { recipeFolder = dirname(run) } = options;
  const source = await openSource(recipe.data.source as SourceOptions, {
    resolvePath: (path) => resolve(recipeFolder, path),
    cacheFolder: join(run, 'downloads'),
    columns: { inputs: [], outputs: [] },
  });
  const samples: Sample[] = [];
  for await (const row of source.rows()) {
    if ('sample' in row && row.sample.split === 'test') samples.push(row.sample);
    if (samples.length === count) break;
  }
  if (samples.length === 0) throw new Error(`the data of ${run} have no test split of their own`);
  return samples;
}

/** Images of one size under each other, as a PNG file. */
async function strip(scenes: readonly Scene[], side: number): Promise<Buffer> {
  const bytes = Buffer.alloc(scenes.length * side * side * 3);
  scenes.forEach(({ image: { pixels } }, index) => {
    for (let place = 0; place < side * side; place++)
      for (let channel = 0; channel < 3; channel++)
        bytes[(index * side * side + place) * 3 + channel] = pixels[channel * side * side + place] as number;
  });
  return sharp(bytes, { raw: { width: side, height: scenes.length * side, channels: 3 } })
    .png()
    .toBuffer();
}

async function writeSceneModel(
  folder: string,
  title: string,
  student: string,
  scenes: readonly Scene[],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const [looking, writing] = [LOOKING_FILE, WRITING_FILE].map((name) => join(student, 'onnx', name)) as [
    string,
    string,
  ];
  const writer = writerFacts(openModelFile(writing).graph);
  if (!writer) throw new Error(`${writing} does not say what it writes`);
  copyFileSync(looking, join(folder, LOOKING_FILE));
  copyFileSync(writing, join(folder, WRITING_FILE));
  const processor = await imageProcessorOf(student);
  const dims = processor.columns[0]?.shape as SceneModelFacts['dims'];
  const pixels = zeros('float32', [scenes.length, ...dims]);
  for (const [row, scene] of scenes.entries()) {
    const { bytes } = await processor.encode(scene.image);
    processor.decode(bytes, { [PIXEL_VALUES]: pixels }, row, {});
  }
  writeFileSync(join(folder, PIXELS_FILE), pixels.data as Float32Array);
  const facts: SceneModelFacts = {
    title,
    bytes: statSync(looking).size + statSync(writing).size,
    dims,
    boxes: boxesOf(student),
    writer,
  };
  writeFileSync(join(folder, SCENE_FACTS_FILE), JSON.stringify(facts));
}

/** The output with boxes, as the student's config.json says: it is the one that has a grid. */
function boxesOf(student: string): SceneModelFacts['boxes'] {
  const config = JSON.parse(readFileSync(join(student, 'config.json'), 'utf8')) as {
    readonly limbeck?: { readonly outputs?: Readonly<Record<string, BoxesConfig>> };
  };
  const [output, found] =
    Object.entries(config.limbeck?.outputs ?? {}).find(([, { grid }]) => grid !== undefined) ?? [];
  if (output === undefined || !found) throw new Error(`${student} finds no boxes beside others`);
  return {
    output,
    labels: Object.values(found.id2label ?? {}),
    threshold: found.threshold ?? found.limbeck?.threshold ?? 0.3,
  };
}

interface BoxesConfig {
  readonly grid?: readonly number[];
  readonly id2label?: Readonly<Record<string, string>>;
  readonly threshold?: number;
  readonly limbeck?: { readonly threshold?: number };
}
