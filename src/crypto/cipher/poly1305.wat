;; Poly1305 (RFC 8439 §2.5), which node:crypto has only together with ChaCha20 as the RFC has it, not as SSH does.
;;
;; h and r are held in 32-bit limbs, little end first: h0..h4 and r0..r3, each in an i64. Clamping clears the top four
;; bits of every r limb and the low two of r1..r3. So with p = 2^130 - 5, the product of 2^128 and such a limb is
;; congruent to s = r / 4 * 5 = r + (r >> 2), and no sum below exceeds 64 bits: after each block h0 < 2.2 * 2^32,
;; h1..h3 < 2^32 and h4 < 4; the next block adds less than 2^32 to each.
;;
;; Memory: 0 key (r 16 bytes, then the final addend 16), 32 tag, 48 message.
(module
  (memory (export "memory") 1)

  ;; Writes the tag of the `length` bytes at 48. Overwrites up to 16 bytes after the message.
  (func (export "authenticate") (param $length i32)
    (local $position i32) (local $end i32) (local $rest i32)
    (local $h0 i64) (local $h1 i64) (local $h2 i64) (local $h3 i64) (local $h4 i64)
    (local $d0 i64) (local $d1 i64) (local $d2 i64) (local $d3 i64)
    (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64)
    (local $s1 i64) (local $s2 i64) (local $s3 i64)
    (local $padBit i64) (local $carry i64)

    (local.set $r0 (i64.and (i64.load32_u (i32.const 0)) (i64.const 0x0fffffff)))
    (local.set $r1 (i64.and (i64.load32_u (i32.const 4)) (i64.const 0x0ffffffc)))
    (local.set $r2 (i64.and (i64.load32_u (i32.const 8)) (i64.const 0x0ffffffc)))
    (local.set $r3 (i64.and (i64.load32_u (i32.const 12)) (i64.const 0x0ffffffc)))
    (local.set $s1 (i64.add (local.get $r1) (i64.shr_u (local.get $r1) (i64.const 2))))
    (local.set $s2 (i64.add (local.get $r2) (i64.shr_u (local.get $r2) (i64.const 2))))
    (local.set $s3 (i64.add (local.get $r3) (i64.shr_u (local.get $r3) (i64.const 2))))

    (local.set $position (i32.const 48))
    (local.set $rest (i32.and (local.get $length) (i32.const 15)))
    (local.set $end (i32.add (i32.const 48) (i32.sub (local.get $length) (local.get $rest))))
    (local.set $padBit (i64.const 1))

    ;; A last block that is not full becomes a full one, `message, 1, 0...`, which has no bit at 2^128 of its own.
    (if (local.get $rest)
      (then
        (memory.fill
          (i32.add (local.get $end) (local.get $rest)) (i32.const 0) (i32.sub (i32.const 16) (local.get $rest)))
        (i32.store8 (i32.add (local.get $end) (local.get $rest)) (i32.const 1))))

    (block $done
      (loop $nextBlock
        (if (i32.eq (local.get $position) (local.get $end))
          (then
            (br_if $done (i32.eqz (local.get $rest)))
            (local.set $rest (i32.const 0))
            (local.set $padBit (i64.const 0))
            (local.set $end (i32.add (local.get $end) (i32.const 16)))))

        ;; h += block
        (local.set $h0 (i64.add (local.get $h0) (i64.load32_u (local.get $position))))
        (local.set $h1 (i64.add (local.get $h1) (i64.load32_u offset=4 (local.get $position))))
        (local.set $h2 (i64.add (local.get $h2) (i64.load32_u offset=8 (local.get $position))))
        (local.set $h3 (i64.add (local.get $h3) (i64.load32_u offset=12 (local.get $position))))
        (local.set $h4 (i64.add (local.get $h4) (local.get $padBit)))
        (local.set $position (i32.add (local.get $position) (i32.const 16)))

        ;; d = h * r; carries run from each limb into the next
        (local.set $d0
          (i64.add
            (i64.add (i64.mul (local.get $h0) (local.get $r0)) (i64.mul (local.get $h1) (local.get $s3)))
            (i64.add (i64.mul (local.get $h2) (local.get $s2)) (i64.mul (local.get $h3) (local.get $s1)))))
        (local.set $d1
          (i64.add
            (i64.add
              (i64.add (i64.mul (local.get $h0) (local.get $r1)) (i64.mul (local.get $h1) (local.get $r0)))
              (i64.add (i64.mul (local.get $h2) (local.get $s3)) (i64.mul (local.get $h3) (local.get $s2))))
            (i64.add (i64.mul (local.get $h4) (local.get $s1)) (i64.shr_u (local.get $d0) (i64.const 32)))))
        (local.set $d2
          (i64.add
            (i64.add
              (i64.add (i64.mul (local.get $h0) (local.get $r2)) (i64.mul (local.get $h1) (local.get $r1)))
              (i64.add (i64.mul (local.get $h2) (local.get $r0)) (i64.mul (local.get $h3) (local.get $s3))))
            (i64.add (i64.mul (local.get $h4) (local.get $s2)) (i64.shr_u (local.get $d1) (i64.const 32)))))
        (local.set $d3
          (i64.add
            (i64.add
              (i64.add (i64.mul (local.get $h0) (local.get $r3)) (i64.mul (local.get $h1) (local.get $r2)))
              (i64.add (i64.mul (local.get $h2) (local.get $r1)) (i64.mul (local.get $h3) (local.get $r0))))
            (i64.add (i64.mul (local.get $h4) (local.get $s3)) (i64.shr_u (local.get $d2) (i64.const 32)))))
        (local.set $h4
          (i64.add (i64.mul (local.get $h4) (local.get $r0)) (i64.shr_u (local.get $d3) (i64.const 32))))

        ;; what stands above 2^130 comes back five times at the bottom
        (local.set $h0
          (i64.add
            (i64.and (local.get $d0) (i64.const 0xffffffff))
            (i64.mul (i64.shr_u (local.get $h4) (i64.const 2)) (i64.const 5))))
        (local.set $h1 (i64.and (local.get $d1) (i64.const 0xffffffff)))
        (local.set $h2 (i64.and (local.get $d2) (i64.const 0xffffffff)))
        (local.set $h3 (i64.and (local.get $d3) (i64.const 0xffffffff)))
        (local.set $h4 (i64.and (local.get $h4) (i64.const 3)))
        (br $nextBlock)))

    ;; the carry left in h0; h4 may reach 4 and then keeps it
    (local.set $h1 (i64.add (local.get $h1) (i64.shr_u (local.get $h0) (i64.const 32))))
    (local.set $h2 (i64.add (local.get $h2) (i64.shr_u (local.get $h1) (i64.const 32))))
    (local.set $h3 (i64.add (local.get $h3) (i64.shr_u (local.get $h2) (i64.const 32))))
    (local.set $h4 (i64.add (local.get $h4) (i64.shr_u (local.get $h3) (i64.const 32))))
    (local.set $h0 (i64.and (local.get $h0) (i64.const 0xffffffff)))
    (local.set $h1 (i64.and (local.get $h1) (i64.const 0xffffffff)))
    (local.set $h2 (i64.and (local.get $h2) (i64.const 0xffffffff)))
    (local.set $h3 (i64.and (local.get $h3) (i64.const 0xffffffff)))

    ;; h < 2p. If h + 5 reaches 2^130, h is at least p, and modulo 2^128 h - p is h + 5; else h stays. No branch.
    (local.set $carry (i64.shr_u (i64.add (local.get $h0) (i64.const 5)) (i64.const 32)))
    (local.set $carry (i64.shr_u (i64.add (local.get $h1) (local.get $carry)) (i64.const 32)))
    (local.set $carry (i64.shr_u (i64.add (local.get $h2) (local.get $carry)) (i64.const 32)))
    (local.set $carry (i64.shr_u (i64.add (local.get $h3) (local.get $carry)) (i64.const 32)))
    (local.set $carry (i64.mul (i64.shr_u (i64.add (local.get $h4) (local.get $carry)) (i64.const 2)) (i64.const 5)))

    ;; tag = h + the key's second half, modulo 2^128
    (local.set $h0 (i64.add (i64.add (local.get $h0) (i64.load32_u (i32.const 16))) (local.get $carry)))
    (local.set $carry (i64.shr_u (local.get $h0) (i64.const 32)))
    (local.set $h1 (i64.add (i64.add (local.get $h1) (i64.load32_u (i32.const 20))) (local.get $carry)))
    (local.set $carry (i64.shr_u (local.get $h1) (i64.const 32)))
    (local.set $h2 (i64.add (i64.add (local.get $h2) (i64.load32_u (i32.const 24))) (local.get $carry)))
    (local.set $carry (i64.shr_u (local.get $h2) (i64.const 32)))
    (local.set $h3 (i64.add (i64.add (local.get $h3) (i64.load32_u (i32.const 28))) (local.get $carry)))
    (i64.store32 (i32.const 32) (local.get $h0))
    (i64.store32 (i32.const 36) (local.get $h1))
    (i64.store32 (i32.const 40) (local.get $h2))
    (i64.store32 (i32.const 44) (local.get $h3))))
