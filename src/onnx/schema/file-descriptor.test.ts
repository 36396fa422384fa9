import { readFileSync } from 'node:fs';
import type { DescFile, DescMessage } from '@bufbuild/protobuf';
import { fileDesc as ofLibrary } from '@bufbuild/protobuf/codegenv2';
import { expect, it } from 'vitest';
import { fileDesc } from './file-descriptor.ts';

const generated = readFileSync(new URL('onnx.gen.ts', import.meta.url), 'utf8');
const base64 = /fileDesc\("([^"]+)"/.exec(generated)?.[1] as string;

it('describes onnx.proto as the library does', () => {
  const ours = described(fileDesc(base64));
  expect(ours).toEqual(described(ofLibrary(base64)));
  expect(ours.join('\n')).toContain('onnx.TensorProto.Segment');
  expect(ours.length).toBeGreaterThan(100);
});

it('refuses a part of descriptor.proto that it does not read', () => {
  const withEnum = Buffer.from([0x2a, 0x03, 0x0a, 0x01, 0x41]);
  expect(() => fileDesc(withEnum.toString('base64'))).toThrow('field 5 of descriptor.proto is not read');
});

function described(file: DescFile): string[] {
  return [file.name, file.edition, ...file.messages.flatMap(linesOf)].map(String);
}

/** A line a message and a line a field, with all that reading and writing depends on. */
function linesOf(message: DescMessage): string[] {
  const fields = message.fields.map((field) =>
    JSON.stringify([
      field.name,
      field.localName,
      field.number,
      field.fieldKind,
      field.scalar,
      field.message?.typeName,
      field.oneof?.name,
      field.presence,
      'listKind' in field && field.listKind,
      'packed' in field && field.packed,
      field.utf8Validation,
    ]),
  );
  const members = message.members.map((member) => member.localName).join();
  return [message.typeName, members, ...fields, ...message.nestedMessages.flatMap(linesOf)];
}
