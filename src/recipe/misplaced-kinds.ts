import { SOURCES } from '../data/sources/index.ts';
import { BACKBONES, GIVEN_STUDENTS } from '../students/index.ts';
import {
  AUDIO_TEACHERS,
  HOSTED_TEACHERS,
  HUB_TEACHERS,
  IMAGE_TEACHERS,
  PAIR_TEACHERS,
  TEACHERS,
} from '../teachers/index.ts';
import { SEVERAL_TEACHERS } from '../teachers/several/options.ts';
import { inputsOf, type StatedParts } from './parts.ts';

/** What each section of a recipe names by its kind, and what that kind reads or gives: modalities, several joined by `+`. */
const SECTIONS: readonly {
  readonly path: readonly string[];
  /** undefined for a kind that goes with anything. */
  readonly reads: (kind: string) => readonly string[] | undefined;
}[] = [
  { path: ['data', 'source'], reads: givenBy },
  { path: ['teacher'], reads: readByTeacher },
  { path: ['student'], reads: readByStudent },
];

function givenBy(kind: string): readonly string[] | undefined {
  const gives = SOURCES.find((source) => source.kind === kind)?.gives;
  return gives ? [gives] : undefined;
}

function readByTeacher(kind: string): readonly string[] | undefined {
  if (IMAGE_TEACHERS.some((teacher) => teacher.kind === kind)) return ['image'];
  if (AUDIO_TEACHERS.some((teacher) => teacher.kind === kind)) return ['audio'];
  if (PAIR_TEACHERS.some((teacher) => teacher.kind === kind)) return ['text+image'];
  if (HOSTED_TEACHERS.some((teacher) => teacher.kind === kind)) return ['text'];
  return [...TEACHERS, ...HUB_TEACHERS, ...SEVERAL_TEACHERS].find((teacher) => teacher.kind === kind)?.reads;
}

function readByStudent(kind: string): readonly string[] | undefined {
  return ([...BACKBONES, ...GIVEN_STUDENTS] as readonly { kind: string; accepts: readonly string[] }[]).find(
    (backbone) => backbone.kind === kind,
  )?.accepts;
}

/** What a recipe's models read, for comparisons: `text`, `text+image`. */
export function modalitiesOf(recipe: Pick<StatedParts, 'inputs' | 'task' | 'data'>): string {
  return [...new Set(inputsOf(recipe).map(({ modality }) => modality))].join('+');
}

/** The parts of a recipe that read or give something else than its task. */
export function misplacedKinds(
  recipe: Pick<StatedParts, 'inputs' | 'task' | 'data'>,
): { readonly path: readonly string[]; readonly message: string }[] {
  const wanted = modalitiesOf(recipe);
  return SECTIONS.flatMap(({ path, reads }) => {
    const part = path.reduce<unknown>(
      (at, key) => (at as Record<string, unknown> | undefined)?.[key],
      recipe,
    );
    const { kind } = (part ?? {}) as { readonly kind?: string };
    const own = kind === undefined ? undefined : reads(kind);
    if (own === undefined || own.some((one) => fits(one, wanted))) return [];
    const verb = path[0] === 'data' ? 'gives' : 'reads';
    const message = `'${kind}' ${verb} ${own.join(' or ')}, a recipe of ${recipe.task} reads ${wanted}`;
    return [{ path: [...path, 'kind'], message }];
  });
}

/** Whether both name the same modalities, in any order. */
function fits(own: string, wanted: string): boolean {
  return own.split('+').sort().join('+') === wanted.split('+').sort().join('+');
}

/** Whether a kind of source, teacher or student goes with some modalities: `image`, `text+image`. @param section `data.source` */
export function readBy(section: string, kind: string, wanted: string): boolean {
  const own = SECTIONS.flatMap(({ path, reads }) => (path.join('.') === section ? (reads(kind) ?? []) : []));
  return own.length === 0 || own.some((one) => fits(one, wanted));
}

/** The task that a kind of source, teacher or student is for, where nothing else says it. */
export function taskOf(kind: string) {
  const source = SOURCES.find((one) => one.kind === kind) as { readonly task?: string } | undefined;
  if (source?.task !== undefined) return source.task;
  const reads = SECTIONS.flatMap((section) => section.reads(kind) ?? []);
  if (reads.includes('text+image')) return 'zero-shot-image-classification';
  if (reads.includes('image')) return 'image-classification';
  if (reads.includes('audio')) return 'audio-classification';
  return 'text-classification';
}
