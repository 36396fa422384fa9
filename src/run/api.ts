import type { OnEvent } from '../events.ts';
import type { TextGenerator } from '../generate/text-generator.ts';
import type { KnowledgeStore } from '../knowledge/store.ts';
import type { MetricInfo } from '../metrics/metric.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { ContinualResult } from '../report/continual-result.ts';
import type { FurtherResult, Gate, RunResult, TrainResult } from '../report/result.ts';
import type { RuntimeGate } from '../report/runtime-gates.ts';
import type { CompileModelOptions } from '../train/compile-model.ts';
import type { StepDescription } from '../train/step-description.ts';
import type { AskQuestionsOptions, QuestionsResult } from './ask-questions.ts';
import type { DataCheck } from './check.ts';
import type { RunOptions } from './context/run-options.ts';
import type { DifferentiateFileOptions, DifferentiateResult } from './differentiate.ts';
import type { ExamineOptions, RecipeFinding } from './examine.ts';
import type { InspectOptions, ModelInspection } from './inspect-model.ts';
import type { MeasureOptions, MeasureResult } from './measure-model.ts';
import type { OpenTextGeneratorOptions } from './open-text-generator.ts';
import type { Plan } from './planning/stage-plan.ts';
import type { Plugin } from './plugin.ts';

/** What `train` brings: a student without a teacher. */
export type { TrainResult } from '../report/result.ts';

/** What `label` did. */
export interface LabelResult {
  /** Samples that the teacher answered now. */
  labelled: number;
  /** Samples whose answers were there before. */
  reused: number;
  /** Samples with the content of another one: asked about once. */
  repeated: number;
  /** What the store holds of this teacher, on disk. */
  bytes: number;
  seconds: number;
  precision: 'f32' | 'int8';
  /** How often int8 decided as f32 does, 0 to 1; null when it was not measured. */
  agreement: number | null;
}

/** Which model `evaluate` measures on what. */
export interface EvaluateOptions {
  /** `test` by default. */
  split?: 'train' | 'validation' | 'test';
  /** An ONNX file; the run's student by default. */
  model?: string;
  /** The folder of the run whose student is measured, where a recipe is given and no `model`. */
  out?: string;
  onEvent?: OnEvent;
  signal?: AbortSignal;
  /** Folders outside the recipe's that its paths may reach. */
  allowPaths?: string[];
  /** What a given recipe's paths are relative to; the working folder by default. A run's folder knows its own. */
  recipeFolder?: string;
}

/** What a model did on a split. */
export interface EvaluationResult {
  split: string;
  /** The model's file, absolute. */
  model: string;
  samples: number;
  /** Every metric of its outputs, the main one first. */
  metrics: (MetricInfo & { value: number })[];
  /** Of a model that answers with one class: right answers / samples, 0 to 1. The same as among `metrics`. */
  accuracy?: number;
  /** Of a model that answers with one class: mean F1 over the classes that have samples. */
  macroF1?: number;
  /**
   * Of a model that answers with one class, in the order of its classes; null where there is nothing to count: no answer of the
   * class, no sample of it, or neither.
   */
  classes?: {
    label: string;
    samples: number;
    precision: number | null;
    recall: number | null;
    f1: number | null;
  }[];
}

/** How an export tells of itself and is stopped. */
export interface ExportOptions {
  onEvent?: OnEvent;
  signal?: AbortSignal;
}

/** What an export wrote. */
export interface ExportResult {
  /** The folder in the Hugging Face layout. */
  folder: string;
  /** All files in it, relative to the folder. */
  files: { path: string; bytes: number }[];
  /** Whether int8 lost too much on the test split; null without int8. */
  gate: Gate | null;
  /** The student in further precisions, and whether each lost too much. */
  further?: FurtherResult[];
  /** Whether the student keeps to the recipe's bounds in the runtimes that it names; where not, the folder is one that does not ship. */
  runtimeGates?: RuntimeGate[];
  /** What that was measured by, the main metric first. */
  metrics: MetricInfo[];
}

/** How a training step is compiled from a file, and what is written. */
export interface CompileOptions extends CompileModelOptions {
  /** The ONNX file of the step. Its description is written beside it, with `.json` for `.onnx`. */
  out: string;
  /** A safetensors file for the initial values of the parameters and buffers. */
  parameters?: string;
  /** An ONNX file for the model alone, with its parameters as inputs: for evaluation while it learns. */
  forward?: string;
}

/** What `compile` wrote. */
export interface CompileResult {
  /** The written files, absolute; null for those that were not asked for. */
  files: { step: string; description: string; parameters: string | null; forward: string | null };
  description: StepDescription;
  /** What a person should know: weights that get no gradient, and why. */
  warnings: readonly string[];
  /** Numbers that learn. */
  parameters: number;
  /** Nodes of the step. */
  nodes: number;
  /** Size of the step's file. */
  bytes: number;
}

/** What the commands call; the public API (src/index.ts) has at least this. */
export interface LimbeckApi {
  distill(recipe: Recipe, options: RunOptions): Promise<RunResult>;
  train(recipe: Recipe, options: RunOptions): Promise<TrainResult>;
  /** Trains on a sequence of tasks, and measures what is forgotten. */
  continual(recipe: Recipe, options: RunOptions): Promise<ContinualResult>;
  label(recipe: Recipe, options: RunOptions): Promise<LabelResult>;
  plan(recipe: Recipe, options: RunOptions): Promise<Plan>;
  /** Reads the data as a run would, and says what they are. */
  check(recipe: Recipe, options: RunOptions): Promise<DataCheck>;
  /** Looks whether a recipe's run would start. */
  examineRecipe(recipe: Recipe, options: ExamineOptions): Promise<RecipeFinding[]>;
  /** `target` is a run's folder, or a recipe whose data a model (options.model) is evaluated on. */
  evaluate(target: string | Recipe, options: EvaluateOptions): Promise<EvaluationResult>;
  /** Writes a model that computes the gradients of the model's loss. */
  differentiate(model: string, options: DifferentiateFileOptions): Promise<DifferentiateResult>;
  /** Tells what an ONNX file is made of. */
  inspectModel(model: string, options?: InspectOptions): Promise<ModelInspection>;
  /** Times a model in Node or in a browser. */
  measureModel(target: string, options: MeasureOptions): Promise<MeasureResult>;
  /** Opens a language model, to go on from texts with it. */
  openTextGenerator(target: string, options?: OpenTextGeneratorOptions): Promise<TextGenerator>;
  /** Asks a language model questions with choices. */
  askQuestions(target: string, options: AskQuestionsOptions): Promise<QuestionsResult>;
  exportStudent(runFolder: string, options: ExportOptions): Promise<ExportResult>;
  /** Compiles the training step of an ONNX file. */
  compile(model: string, options: CompileOptions): Promise<CompileResult>;
  /** Writes report.html anew from what the run's folder holds. */
  writeReport(runFolder: string): Promise<{ file: string }>;
  /** Makes known what a plugin brings. */
  usePlugin(plugin: Plugin): void | Promise<void>;
  readonly KnowledgeStore: { open(folder: string): Promise<KnowledgeStore> };
}
