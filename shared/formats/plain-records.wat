;; Reads CSV records whose cells are all plainly numbers: digits with at most one point and a minus sign, no quotes, no exponent.
;; Eight bytes are looked at together, as one little-endian integer: the exclusive or with eight zeros makes digits 0 to 9, adding
;; $NOT_DIGITS sets the high bit of every byte that is more, and three multiplications put eight digits together
;; (https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/).
(module
  ;; The page of the bytes is followed by what JavaScript lays out.
  (memory (export "memory") 1)

  ;; Reads at most `limit` records from `at` to `end`, where at least eight bytes that are no digits follow. The numbers of a record are
  ;; stored from `out` on, column by column at the byte that `places` has for it (i32). The start of each record is stored from
  ;; `starts` on (i32), and behind them where the next one starts. `powers` are those of ten, 0 to 19 (i64). Answers how many.
  (func (export "read")
    (param $at i32) (param $end i32) (param $limit i32) (param $columns i32) (param $delimiter i32)
    (param $places i32) (param $powers i32) (param $starts i32) (param $out i32)
    (result i32)
    (local $records i32) (local $column i32) (local $p i32) (local $minus i32) (local $byte i32)
    (local $digits i64) (local $others i64) (local $more i64)
    (local $mantissa i64) (local $count i32) (local $point i32) (local $scale i32) (local $value f64)

    (block $done
      (loop $record
        (i32.store (local.get $starts) (local.get $at))
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (br_if $done (i32.ge_u (local.get $records) (local.get $limit)))
        (local.set $p (local.get $at))
        (local.set $column (i32.const 0))
        (loop $cell
          (local.set $minus (i32.eq (i32.load8_u (local.get $p)) (i32.const 45)))
          (local.set $p (i32.add (local.get $p) (local.get $minus)))
          (local.set $mantissa (i64.const 0))
          (local.set $count (i32.const 0))
          (local.set $scale (i32.const 0))
          (local.set $point (i32.const 0))
          ;; Twice at most: before the point and behind it.
          (loop $part
            (loop $eight
              (local.set $digits (i64.xor (i64.load (local.get $p)) (i64.const 0x3030303030303030)))
              (local.set $others (i64.and
                (i64.or (local.get $digits) (i64.add (local.get $digits) (i64.const 0x7676767676767676)))
                (i64.const 0x8080808080808080)))
              ;; Digits before the first other byte; 8 when there is none.
              (local.set $more (i64.shr_u (i64.ctz (local.get $others)) (i64.const 3)))
              ;; They move to the end, and zeros in front of them; a shift by 64 would be none.
              (local.set $digits (select
                (i64.const 0)
                (i64.shl (local.get $digits) (i64.sub (i64.const 64) (i64.shl (local.get $more) (i64.const 3))))
                (i64.eqz (local.get $more))))
              (local.set $digits (i64.shr_u (i64.mul (local.get $digits) (i64.const 2561)) (i64.const 8)))
              (local.set $digits (i64.shr_u
                (i64.mul (i64.and (local.get $digits) (i64.const 0x00ff00ff00ff00ff)) (i64.const 6553601)) (i64.const 16)))
              (local.set $digits (i64.shr_u
                (i64.mul (i64.and (local.get $digits) (i64.const 0x0000ffff0000ffff)) (i64.const 42949672960001)) (i64.const 32)))
              (local.set $mantissa (i64.add
                (i64.mul (local.get $mantissa)
                  (i64.load (i32.add (local.get $powers) (i32.shl (i32.wrap_i64 (local.get $more)) (i32.const 3)))))
                (local.get $digits)))
              (local.set $count (i32.add (local.get $count) (i32.wrap_i64 (local.get $more))))
              (local.set $p (i32.add (local.get $p) (i32.wrap_i64 (local.get $more))))
              (br_if $eight (i64.eqz (local.get $others))))
            (local.set $byte (i32.load8_u (local.get $p)))
            (if (local.get $point)
              (then (local.set $scale (i32.sub (local.get $p) (local.get $point))))
              (else (if (i32.eq (local.get $byte) (i32.const 46))
                (then
                  (local.set $p (i32.add (local.get $p) (i32.const 1)))
                  (local.set $point (local.get $p))
                  (br $part))))))

          ;; None, or more than the mantissa holds.
          (br_if $done (i32.gt_u (i32.sub (local.get $count) (i32.const 1)) (i32.const 18)))
          (local.set $value (f64.div
            (f64.convert_i64_u (local.get $mantissa))
            (f64.convert_i64_u (i64.load (i32.add (local.get $powers) (i32.shl (local.get $scale) (i32.const 3)))))))
          ;; Beyond 2^53 the quotient is a little off: it counts where that cannot change the float32.
          (if (i64.gt_u (local.get $mantissa) (i64.const 0x1fffffffffffff))
            (then (br_if $done (f32.ne
              (f32.demote_f64 (f64.mul (local.get $value) (f64.const 0x1.ffffffffff8p-1)))
              (f32.demote_f64 (f64.mul (local.get $value) (f64.const 0x1.00000000004p0)))))))
          (f32.store
            (i32.add (local.get $out) (i32.load (i32.add (local.get $places) (i32.shl (local.get $column) (i32.const 2)))))
            (f32.demote_f64 (select (f64.neg (local.get $value)) (local.get $value) (local.get $minus))))

          (local.set $column (i32.add (local.get $column) (i32.const 1)))
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (if (i32.eq (local.get $byte) (local.get $delimiter))
            (then
              (br_if $cell (i32.lt_u (local.get $column) (local.get $columns)))
              (br $done)))
          (if (i32.eq (local.get $byte) (i32.const 13))
            (then
              (local.set $byte (i32.load8_u (local.get $p)))
              (local.set $p (i32.add (local.get $p) (i32.const 1)))))
          (br_if $done (i32.ne (local.get $byte) (i32.const 10)))
          (br_if $done (i32.ne (local.get $column) (local.get $columns))))

        (local.set $out (i32.add (local.get $out) (i32.shl (local.get $columns) (i32.const 2))))
        (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
        (local.set $records (i32.add (local.get $records) (i32.const 1)))
        (local.set $at (local.get $p))
        (br $record)))
    (local.get $records)))
