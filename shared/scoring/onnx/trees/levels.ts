import type { TreeNode } from './ensemble.ts';

/**
 * A tree's nodes, level by level from its root; the children of a node follow each other, first the one to which a missing feature
 * leads.
 */
export function levelsOf(root: TreeNode): TreeNode[][] {
  const levels: TreeNode[][] = [];
  for (let level = [root]; level.length > 0; level = level.flatMap((node) => childrenOf(node))) levels.push(level);
  return levels;
}

function childrenOf(node: TreeNode): TreeNode[] {
  if ('weights' in node) return [];
  return node.missing === 'no' ? [node.no, node.yes] : [node.yes, node.no];
}
