;; Walks decision trees for many records, one tree after the other, so that a tree stays in the processor's first cache. Four records
;; go down at once: each step of one waits for memory, and the processor works on the other three meanwhile. There is no branch to
;; guess wrong on the way; a record that has come to its leaf stays there.
;;
;; A tree has 8 bytes in the list of trees: the address of its root and its depth (i32 each).
;; A node has 16 bytes: its threshold (f32), the byte of its feature in a record, the address of its two children, first the one
;; for "no" (i32 each), and the address of a leaf's weights. A leaf's threshold is NaN, which nothing is less than or equal to,
;; and its children are itself.
(module
  (memory (export "memory") 1)

  ;; `count` is a multiple of four; it, each depth and `targets` are at least 1. Adds the weights of each record's leaves to its
  ;; totals.
  (func (export "walk")
    (param $tree i32) (param $treesEnd i32)
    (param $records i32) (param $count i32) (param $recordBytes i32)
    (param $totals i32) (param $targets i32)
    (local $root i32) (local $depth i32) (local $record i32) (local $total i32)
    (local $b i32) (local $c i32) (local $d i32)
    (local $nodeA i32) (local $nodeB i32) (local $nodeC i32) (local $nodeD i32)
    (local $levels i32) (local $left i32) (local $end i32) (local $totalBytes i32)

    (local.set $totalBytes (i32.shl (local.get $targets) (i32.const 2)))
    (local.set $end (i32.add (local.get $records) (i32.mul (local.get $count) (local.get $recordBytes))))
    (loop $nextTree
      (local.set $root (i32.load (local.get $tree)))
      (local.set $depth (i32.load offset=4 (local.get $tree)))
      (local.set $record (local.get $records))
      (local.set $total (local.get $totals))
      (loop $four
        (local.set $b (i32.add (local.get $record) (local.get $recordBytes)))
        (local.set $c (i32.add (local.get $b) (local.get $recordBytes)))
        (local.set $d (i32.add (local.get $c) (local.get $recordBytes)))
        (local.set $nodeA (local.get $root))
        (local.set $nodeB (local.get $root))
        (local.set $nodeC (local.get $root))
        (local.set $nodeD (local.get $root))
        (local.set $levels (local.get $depth))
        (loop $down
          ;; The second child, 16 bytes on, is the one for "yes, at most the threshold".
          (local.set $nodeA (i32.add (i32.load offset=8 (local.get $nodeA)) (i32.shl (f32.le
            (f32.load (i32.add (local.get $record) (i32.load offset=4 (local.get $nodeA)))) (f32.load (local.get $nodeA))) (i32.const 4))))
          (local.set $nodeB (i32.add (i32.load offset=8 (local.get $nodeB)) (i32.shl (f32.le
            (f32.load (i32.add (local.get $b) (i32.load offset=4 (local.get $nodeB)))) (f32.load (local.get $nodeB))) (i32.const 4))))
          (local.set $nodeC (i32.add (i32.load offset=8 (local.get $nodeC)) (i32.shl (f32.le
            (f32.load (i32.add (local.get $c) (i32.load offset=4 (local.get $nodeC)))) (f32.load (local.get $nodeC))) (i32.const 4))))
          (local.set $nodeD (i32.add (i32.load offset=8 (local.get $nodeD)) (i32.shl (f32.le
            (f32.load (i32.add (local.get $d) (i32.load offset=4 (local.get $nodeD)))) (f32.load (local.get $nodeD))) (i32.const 4))))
          (br_if $down (local.tee $levels (i32.sub (local.get $levels) (i32.const 1)))))

        (local.set $nodeA (i32.load offset=12 (local.get $nodeA)))
        (local.set $nodeB (i32.load offset=12 (local.get $nodeB)))
        (local.set $nodeC (i32.load offset=12 (local.get $nodeC)))
        (local.set $nodeD (i32.load offset=12 (local.get $nodeD)))
        (local.set $left (local.get $targets))
        (local.set $b (i32.add (local.get $total) (local.get $totalBytes)))
        (local.set $c (i32.add (local.get $b) (local.get $totalBytes)))
        (local.set $d (i32.add (local.get $c) (local.get $totalBytes)))
        (loop $target
          (f32.store (local.get $total) (f32.add (f32.load (local.get $total)) (f32.load (local.get $nodeA))))
          (f32.store (local.get $b) (f32.add (f32.load (local.get $b)) (f32.load (local.get $nodeB))))
          (f32.store (local.get $c) (f32.add (f32.load (local.get $c)) (f32.load (local.get $nodeC))))
          (f32.store (local.get $d) (f32.add (f32.load (local.get $d)) (f32.load (local.get $nodeD))))
          (local.set $total (i32.add (local.get $total) (i32.const 4)))
          (local.set $b (i32.add (local.get $b) (i32.const 4)))
          (local.set $c (i32.add (local.get $c) (i32.const 4)))
          (local.set $d (i32.add (local.get $d) (i32.const 4)))
          (local.set $nodeA (i32.add (local.get $nodeA) (i32.const 4)))
          (local.set $nodeB (i32.add (local.get $nodeB) (i32.const 4)))
          (local.set $nodeC (i32.add (local.get $nodeC) (i32.const 4)))
          (local.set $nodeD (i32.add (local.get $nodeD) (i32.const 4)))
          (br_if $target (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))

        (local.set $total (local.get $d))
        (local.set $record (i32.add (local.get $record) (i32.shl (local.get $recordBytes) (i32.const 2))))
        (br_if $four (i32.lt_u (local.get $record) (local.get $end))))
    (br_if $nextTree (i32.lt_u (local.tee $tree (i32.add (local.get $tree) (i32.const 8))) (local.get $treesEnd))))))
