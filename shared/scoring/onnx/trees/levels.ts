import type { TreeNode } from './ensemble.ts';

/** A tree's nodes, level by level from its root; the children of a node follow each other, the one for "no" first. */
export function levelsOf(root: TreeNode): TreeNode[][] {
  const levels: TreeNode[][] = [];
  for (let level = [root]; level.length > 0; level = level.flatMap((node) => childrenOf(node))) levels.push(level);
  return levels;
}

const childrenOf = (node: TreeNode): TreeNode[] => ('weights' in node ? [] : [node.no, node.yes]);
