/** What stands in the place of a large file where only git was asked. */
export const LFS_POINTER = 'a git-lfs pointer (git lfs pull fetches the file itself)';

export function isLfsPointer(text: string): boolean {
  return text.startsWith('version https://git-lfs');
}
