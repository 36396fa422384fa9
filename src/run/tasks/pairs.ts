import { ImageProcessor } from '../../data/modalities/image/image-processor.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import { towerOf } from '../../export/clip-graphs.ts';
import { writeDualEncoder } from '../../export/dual-encoder.ts';
import { weighedOptions } from '../../objectives/index.ts';
import type { Graph } from '../../onnx/graph.ts';
import { outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { teacherMemory } from '../../recipe/teacher-memory.ts';
import type { FrozenTower } from '../../students/backbone.ts';
import { frozenValue } from '../../students/dual-encoder.ts';
import { tokenTableStart } from '../../students/token-table-start.ts';
import type { Head } from '../../targets/head.ts';
import { TEXT_EMBEDS } from '../../targets/pair-embeds.ts';
import { openPairFile, type PairTeacherSource, withPairs } from '../../teachers/pair-file.ts';
import { SENTENCE_EMBEDDING } from '../../teachers/teacher-source.ts';
import { tokenVectors } from '../../teachers/token-vectors.ts';
import { openUseLite } from '../../teachers/use-lite/open.ts';
import type { StudentPackage } from '../context/task.ts';
import { textLabelling } from '../teaching/ask-teacher.ts';
import { imagesOf, showImages } from '../teaching/image-reading.ts';
import { type LocalTeacher, localTeacher } from '../teaching/local-teacher.ts';
import { withOrigin } from '../teaching/open-teacher.ts';
import { requireLength } from '../teaching/require-classes.ts';
import { inputFiles, openColumns, writeColumnStudent } from './columns.ts';
import { givenPairTowers } from './given-student.ts';
import type { BoundSamples, RecipeRun, SampleKind, SampleReading } from './sample-kind.ts';

/** What cosines of pairs are multiplied by where no temperature is given: that of CLIP (Radford et al., 2021). */
const LOGIT_SCALE = 100;
/** The table of tokens of a dual encoder's text tower. */
const TOKEN_TABLE = 'text_model/embedding/weight';

/** Texts with an image each. */
export const pairs: SampleKind = {
  unit: 'pairs',
  reads: 'image+text',
  async open(run) {
    const { recipe } = run;
    const source = await openPairTeacher(run);
    if (source) requireLength(source, recipe.data.maxLength);
    const reading = source ? taught(recipe, source) : await openColumns(run);
    const { tokenizer } = reading;
    return {
      ...reading,
      async bind(dataset) {
        const samples = await reading.bind(dataset);
        const given = await givenPairTowers(
          run,
          source && !samples.teacherReads ? samples.teacher : undefined,
        );
        return {
          ...samples,
          ...(given && { given }),
          frozen: await frozenTower(recipe),
          ...(source && startsFromTeacher(recipe) && { start: startFrom(source.model) }),
          write: (folder, models) => writePairStudent({ recipe, dataset, tokenizer }, folder, models),
        };
      },
    };
  },
};

/** Pairs that a model of both reads. */
function taught(recipe: Recipe, source: PairTeacherSource): SampleReading {
  const { preprocessing } = textLabelling(source, recipe.data.maxLength);
  return {
    tokenizer: source.tokenizer,
    teacherImages: source.preprocessing ? [source.preprocessing] : [],
    preprocessing,
    warnings: source.tokenizer.warnings,
    bind(dataset) {
      const images = imagesOf(dataset);
      const at = dataset.inputs.findIndex(({ processor }) => processor === images);
      const { teacher, reads } = showImages(source, images, recipe, { at, reading: preprocessing });
      const model = withPairs(teacher.model, outputsOf(recipe)[0]?.name as string);
      return {
        teacher: { ...teacher, model },
        ...(reads && { teacherReads: reads }),
        write: () => undefined,
      };
    },
  };
}

async function openPairTeacher(run: RecipeRun): Promise<PairTeacherSource | undefined> {
  const { kind } = run.recipe.teacher ?? {};
  if (kind !== 'onnx-pair' && kind !== 'hub') return undefined;
  const local = (await localTeacher(run)) as LocalTeacher;
  return withOrigin(await openPairFile(local.choice.model as string, teacherMemory(run.recipe)), local);
}

function startsFromTeacher({ student }: Recipe): boolean {
  return student.kind === 'dual-encoder' && student.tokens === 'teacher';
}

/** The table of tokens, as the teacher's text tower has them. */
function startFrom(teacher: Graph): NonNullable<BoundSamples['start']> {
  return async ({ engine, checkInterrupted }, student) => {
    const found = [...student.graph.initializers].find(([{ name }]) => name === TOKEN_TABLE)?.[1];
    if (!found) {
      throw new LimbeckError('recipe.invalid', 'the text tower has no table of tokens to begin', {
        where: 'student.tokens: teacher',
        remedy: 'Leave student.tokens out, or take a text tower that is trained.',
      });
    }
    const [vocabularySize, width] = found.dims as [number, number];
    const model = towerOf(teacher, TEXT_EMBEDS);
    const vectors = await tokenVectors({ engine, model, vocabularySize, checkInterrupted });
    return new Map([[TOKEN_TABLE, tokenTableStart(vectors, width)]]);
  };
}

/** The sentence encoder in a student. */
const FROZEN_ENCODER = { kind: 'use-lite', vectors: frozenValue(SENTENCE_EMBEDDING) };

/** Whether the text tower is the sentence encoder, which is not trained. */
function isFrozen({ student }: Pick<Recipe, 'student'>): boolean {
  return student.kind === 'dual-encoder' && student.text.kind === 'use-lite';
}

/** The text tower of a dual encoder that is not trained. */
async function frozenTower({ student }: Recipe): Promise<FrozenTower | undefined> {
  if (!isFrozen({ student })) return undefined;
  const { model, embeddingOutput } = await openUseLite();
  return { graph: model, output: embeddingOutput as string };
}

/** As transformers.js has it for a text and an image; of more inputs, as columns. */
function writePairStudent(
  context: {
    readonly recipe: Recipe;
    readonly dataset: PreparedDataset;
    readonly tokenizer: Tokenizer | undefined;
  },
  folder: string,
  models: StudentPackage,
): void {
  const { recipe, dataset, tokenizer } = context;
  const image = dataset.inputs.find(({ processor }) => processor instanceof ImageProcessor)?.processor;
  if (dataset.inputs.length !== 2 || !tokenizer || !(image instanceof ImageProcessor)) {
    writeColumnStudent(context, folder, models);
    return;
  }
  const [main] = models.heads as [Head, ...Head[]];
  writeDualEncoder(folder, {
    ...models,
    architecture: recipe.student.kind,
    ...(isFrozen(recipe) && { encoder: FROZEN_ENCODER }),
    width: (main.space as { readonly width: number }).width / 2,
    pairs: main.output,
    logitScale: logitScaleOf(recipe),
    vocabularySize: tokenizer.vocabularySize,
    padTokenId: tokenizer.padId,
    endIds: tokenizer.endIds,
    maxLength: recipe.data.maxLength,
    dims: image.dims,
    files: inputFiles(dataset),
  });
}

/** 1 / the temperature that pairs were trained with. */
function logitScaleOf({ objective }: Recipe): number {
  const given = weighedOptions(objective, 'infoNce').find(({ temperature }) => temperature !== 'learnt');
  return given ? 1 / (given.temperature as number) : LOGIT_SCALE;
}
