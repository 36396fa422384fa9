/**
 * Limbeck's public API. The command line uses nothing else.
 *
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { distill, parseRecipe } from 'limbeck';
 *
 * const recipe = parseRecipe(await readFile('recipes/glosses.yaml', 'utf8'));
 * const result = await distill(recipe, {
 *   out: 'runs/glosses',
 *   onEvent: (event) => event.type === 'stage-end' && console.log(event.stage, event.summary),
 * });
 * console.log(`${result.speedup.toFixed(0)} times faster, keeps ${(100 * result.retention).toFixed(0)} %`);
 */

export { z } from 'zod';
export {
  type AfterContext,
  defineTransform,
  type Transform,
  type TransformContext,
} from './compress/transforms/transform.ts';
export { BrokenValue } from './data/broken-value.ts';
export type { GroundTruth } from './data/ground-truth.ts';
export { defineModality, type Modality, type Processor } from './data/modalities/modality.ts';
export { defineSource, type SourceKind } from './data/sources/source.ts';
export { type ErrorCode, LimbeckError } from './errors.ts';
export type { OnEvent, RunEvent, StageName } from './events.ts';
export {
  type EarlyAnswers,
  EarlyExits,
  type EarlyExitsOptions,
} from './export/early-exits.ts';
export { type BeamOptions, beamSearch, type FoundText } from './generate/beam-search.ts';
export type { ChoiceOptions } from './generate/choose-token.ts';
export type { Decoder, NextLogits, Reading } from './generate/decoder.ts';
export { type GeneratedToken, generateTokens } from './generate/generate-tokens.ts';
export type { FinishReason, GenerationOptions } from './generate/generation-options.ts';
export { type SessionDecoderOptions, sessionDecoder } from './generate/session-decoder.ts';
export {
  type GeneratedText,
  type GenerateOptions,
  type TextGenerationOptions,
  TextGenerator,
  type TextGeneratorFiles,
  type TextPiece,
} from './generate/text-generator.ts';
export type { GraphEdge, GraphNode, KnowledgeGraph } from './knowledge/graph/knowledge-graph.ts';
export type { LabelEncoding } from './knowledge/label-encoding.ts';
export type { LabelSpace, SpaceInfo } from './knowledge/label-space.ts';
export type { SpaceDefinition } from './knowledge/space-info.ts';
export {
  KnowledgeStore,
  type PruneOptions,
  type SpaceSummary,
  type VerifyProgress,
} from './knowledge/store.ts';
export { type Metric, metric } from './metrics/metric.ts';
export { defineObjective, type ObjectiveKind, termWeight } from './objectives/objective.ts';
export { checkRecipe, type ParseOptions, parseRecipe } from './recipe/parse.ts';
export { RecipeError, type RecipeProblem } from './recipe/problems.ts';
export { type Recipe, type RecipeInput, recipeJsonSchema } from './recipe/schema.ts';
export { stringifyRecipe } from './recipe/write.ts';
export type { ContinualMethodResult, ContinualResult } from './report/continual-result.ts';
export {
  accuracyOf,
  type FurtherResult,
  type Gate,
  type Machine,
  type ModelResult,
  type RunResult,
  type StageSeconds,
} from './report/result.ts';
export type { RuntimeBound, RuntimeGate } from './report/runtime-gates.ts';
export type {
  CompileOptions,
  CompileResult,
  EvaluateOptions,
  EvaluationResult,
  ExportOptions,
  ExportResult,
  LabelResult,
  TrainResult,
} from './run/api.ts';
export { type AskQuestionsOptions, askQuestions, type QuestionsResult } from './run/ask-questions.ts';
export { type CheckedClass, type CheckedSample, check, type DataCheck } from './run/check.ts';
export { compile } from './run/compile.ts';
export { type Artifact, type Artifacts, artifact, optional } from './run/context/artifact.ts';
export type { RunContext } from './run/context/run-context.ts';
export type { RunOptions } from './run/context/run-options.ts';
export type { StageEnd } from './run/context/stage-end.ts';
export { continual } from './run/continual.ts';
export {
  type DifferentiateFileOptions,
  type DifferentiateResult,
  differentiate,
} from './run/differentiate.ts';
export { distill } from './run/distill.ts';
export { evaluate } from './run/evaluate.ts';
export { type ExamineOptions, examineRecipe, type RecipeFinding } from './run/examine.ts';
export { exportStudent } from './run/export-student.ts';
export {
  type InspectedValue,
  type InspectOptions,
  inspectModel,
  type ModelInspection,
} from './run/inspect-model.ts';
export { label } from './run/label.ts';
export {
  type MeasureOptions,
  type MeasureResult,
  type ModelAgreement,
  type ModelMeasurement,
  measureModel,
} from './run/measure-model.ts';
export { openEarlyExits } from './run/open-early-exits.ts';
export {
  type ImageAnswers,
  type ImageWriter,
  type OpenImageWriterOptions,
  openImageWriter,
} from './run/open-image-writer.ts';
export { type OpenTextGeneratorOptions, openTextGenerator } from './run/open-text-generator.ts';
export { plan } from './run/plan.ts';
export type { PlanningContext } from './run/planning/planning-context.ts';
export type { Plan, StagePlan } from './run/planning/stage-plan.ts';
export { definePlugin, type OperatorRule, type Plugin, usePlugin } from './run/plugin.ts';
export { artifacts, STAGES } from './run/stages/index.ts';
export { registerStage } from './run/stages/register.ts';
export { notMeasured, type Stage, stage } from './run/stages/stage.ts';
export { train } from './run/train.ts';
export { writeReport } from './run/write-report.ts';
export { type Backbone, defineBackbone } from './students/backbone.ts';
export { pooledFeatures } from './students/linear-features.ts';
export type { AddedMetric } from './targets/added-metrics.ts';
export { type DecodeOptions, type DetectedBox, decodeBoxes } from './targets/decode-boxes.ts';
export { findTarget } from './targets/index.ts';
export { defineTarget, type Target } from './targets/target.ts';
export type { CompileModelOptions } from './train/compile-model.ts';
export {
  type StepDescription,
  stepDescriptionJsonSchema,
  stepDescriptionSchema,
} from './train/step-description.ts';
export { VERSION } from './version.ts';
