#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cp -r that did not come to its end: cut, stopped, without room, or of a source with gaps. What is printed goes on with it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../next_steps.sh"
cd "$TMP" || exit 1
cat >recipe <<END
file /vm/disk size=64K content=pattern lock=exclusive:0
file /vm/sub/twin size=64K content=pattern
file /vm/web size=2M content=pattern
file /vm/log size=3K content=pattern lock=exclusive:dead
file /vm/iso size=3K content=pattern lock=shared:0,1
file /vm/empty size=0
link /vm/link to=disk
rdm /vm/raw lun=naa.6000c297e49918434c247ac801f7bac9
END
ok "a disk" "$LAB" make --vmfs 6 --size 3G --live 2 --files recipe d.img
exits "a whole copy, for comparison" 1 "$VMFSKIT" cp -r d.img /vm good

# --- files that somebody holds ----------------------------------------------------------------------------------------
held() { grep -oE '/vm/[a-z]+ is locked \([a-z -]+\) by the host with MAC [0-9a-f:]+' "$ERR" | sed 's/ by the host.*//' | tr '\n' ' '; }
is "the file that a host may be writing to is named, and no other" "$(held)" "/vm/disk is locked (exclusive) "
run "$VMFSKIT" cat d.img /vm/disk
is "by cat, too" "$CODE $(held)" "0 /vm/disk is locked (exclusive) "
for free in log iso web; do
	run "$VMFSKIT" cat d.img /vm/$free
	is "not $free" "$CODE $(held)" "0 "
done

# --- cut at every step, and the run that goes on cut again ------------------------------------------------------------
facts() { (cd "$1" && find . -printf '%p %y %m %T@ %l\n' | sort) && (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2); }
facts good >facts.good
# as_good NAME: the tree is what the whole copy is, and nothing is left beside it
as_good() {
	facts tree >facts.tree 2>&1
	if cmp -s facts.good facts.tree && [ "$(find . -maxdepth 1 -name 'tree*')" = ./tree ]; then
		pass "$1"
	else
		fail "$1" "$(diff facts.good facts.tree | head; ls -A . tree)"
	fi
}
VMFSKIT_CRASH_LOG=log "$HOOKS" cp -r d.img /vm tree >/dev/null 2>&1
steps=$(wc -l <log)
[ "$steps" -gt 50 ] && pass "steps to cut it at: $steps" || fail "steps to cut it at: $steps"
bad=
for n in $(seq 1 "$steps"); do
	rm -rf tree*
	VMFSKIT_CRASH_AT=$n "$HOOKS" cp -r d.img /vm tree >/dev/null 2>&1
	[ $? -eq 99 ] || bad+=" $n:ran-on"
	# the second cut comes at another kind of step each time
	VMFSKIT_CRASH_AT=$((n % 13 + 1)) "$HOOKS" cp -r --resume d.img /vm tree >/dev/null 2>&1
	"$VMFSKIT" cp -r --resume d.img /vm tree >out 2>err
	[ $? -eq 1 ] || bad+=" $n:exit-code"
	facts tree >facts.tree
	cmp -s facts.good facts.tree || bad+=" $n:differs"
	[ "$(find . -maxdepth 1 -name 'tree*')" = ./tree ] || bad+=" $n:left-over"
	grep -q '^6 of 6 files copied' out || bad+=" $n:counted"
done
is "cut at every step, and again: the same tree" "$bad" ""

# --- no room, at every step -------------------------------------------------------------------------------------------
bad=
for n in $(seq 1 5 "$steps"); do
	rm -rf tree*
	VMFSKIT_TEST_NOSPACE_AT=$n "$HOOKS" cp -r d.img /vm tree >/dev/null 2>err
	case $?:$n in 4:* | 1:*) ;; *) bad+=" $n:exit-code" ;; esac
	"$VMFSKIT" cp -r --resume d.img /vm tree >out 2>err
	[ $? -eq 1 ] || bad+=" $n:resume"
	facts tree >facts.tree
	cmp -s facts.good facts.tree || bad+=" $n:differs"
done
is "no room at a step, and then there is" "$bad" ""

# --- stopped by a signal: the printed command goes on -----------------------------------------------------------------
# stopped SIGNAL STEP: cp -r gets it when it comes to that step; its exit code
stopped() {
	rm -rf tree* sums
	VMFSKIT_STOP_AT=$2 "$HOOKS" cp -r --sums sums -- d.img /vm tree >bg.out 2>bg.err &
	worker=$!
	until grep -q '^State:[[:space:]]*T' /proc/$worker/status 2>/dev/null || ! kill -0 $worker 2>/dev/null; do sleep 0.05; done
	kill "-$1" $worker
	kill -CONT $worker
	wait $worker 2>/dev/null
}
writes=$(grep -n 'extract: write' log | cut -d : -f 1)
last=$(tail -n 1 <<<"$writes")
# not INT: a shell without job control has the background ignore it
for n in $writes; do
	stopped TERM "$n"
	code=$?
	line=$(sed -n '/stopped before the end; go on with:$/{n;s/^  //p}' bg.err)
	if [ "$n" -eq "$last" ]; then
		is "TERM in the last file: it is copied, and nothing is left to do" "$code:$line" "1:"
	else
		is "TERM at step $n: it ends there" "$code" 4
		is "TERM at step $n: how to go on" "$line" "vmfskit cp --resume -r --sums sums -- d.img /vm tree"
		exits "TERM at step $n: it goes on" 1 paste_it "$line"
	fi
	as_good "TERM at step $n: the same tree"
	ok "TERM at step $n: the sums are those of all files" sha256sum -c --quiet sums
	is "TERM at step $n: of all" "$(grep -c . sums)" 6
	stopped HUP "$n"
	is "HUP at step $n: it ends there" $? 129
	exits "HUP at step $n: it goes on" 1 "$VMFSKIT" cp -r --resume d.img /vm tree
	as_good "HUP at step $n: the same tree"
done
exits "a whole tree, once more" 1 "$VMFSKIT" cp -r --resume d.img /vm tree
has "it is compared" "$OUT" '^6 of them were there and hold the bytes of the source'
as_good "it is the same tree, and no second one in it"
mkdir -m 755 other
exits "a folder of somebody" 1 "$VMFSKIT" cp -r --resume d.img /vm other
is "takes the tree in it" "$(ls other)" vm
first=$(find tree -type f | sort | head -n 1)
cp -a tree kept && echo more >>"$first"
exits "a whole tree that its owner changed" 2 "$VMFSKIT" cp -r --resume d.img /vm tree
has "is not copied into itself" "$ERR" '^vmfskit: all 6 files of /vm are in it, not all as they are in the volume'
is "nothing is put in it" "$(find tree | wc -l)" "$(find kept | wc -l)"
rm -rf tree && mv kept tree

# --- begun, and neither gone on with nor replaced ---------------------------------------------------------------------
rm -rf tree*
VMFSKIT_CRASH_AT=$((steps / 2)) "$HOOKS" cp -r d.img /vm tree >/dev/null 2>&1
find tree* | sort >before
exits "the same command again, without --resume" 2 "$VMFSKIT" cp -r d.img /vm tree
has "it is refused" "$ERR" 'a copy of this folder was begun and is not whole \(tree\)'
has "and says how" "$ERR" '--resume goes on with it, --overwrite begins each file anew'
is "nothing is copied into the folder" "$(find tree* | sort | diff before -)" ""
exits "--overwrite" 1 "$VMFSKIT" cp -r --overwrite d.img /vm tree
as_good "--overwrite: the same tree"

# --- gaps of the source ------------------------------------------------------------------------------------------------
size=$(stat -c %s d.img)
# gap FILE AT LENGTH: a mapfile of d.img in which this was not copied
gap() {
	printf '# Mapfile. Created by GNU ddrescue\n0x0 + 1\n0x%X 0x%X +\n0x%X 0x%X -\n0x%X 0x%X +\n' 0 "$2" "$2" "$3" $(($2 + $3)) \
		$((size - $2 - $3)) >"$1"
}
fd() { "$VMFSKIT" stat --json d.img "$1" 2>/dev/null | jq '.files[0].device_offset'; }
# shellcheck disable=SC2046
gap names $("$VMFSKIT" map --json d.img /vm/sub 2>/dev/null | jq -r '.extents[0] | "\(.device_offset) \(.length)"')
# name, the gap, which files are counted, what is said of names
while IFS='|' read -r what path counted said; do
	rm -rf tree*
	[ "$what" = names ] || gap "$what" "$(fd "$path")" 512
	exits "$what: cp -r" "$([ "$what" = names ] && echo 1 || echo 4)" "$VMFSKIT" cp -r --mapfile "$what" d.img /vm tree
	has "$what: how many" "$OUT" "^$counted files copied"
	if [ "$what" = names ]; then
		has "$what: said" "$ERR" "$said"
	else
		has "$what: said" "$OUT" "$said"
		has "$what: which" "$ERR" "$path is NOT copied"
	fi
	exits "$what: with the rest of the source it goes on" 1 "$VMFSKIT" cp -r --resume d.img /vm tree
	as_good "$what: to the same tree"
done <<'END'
names||5 of 5|names are missing: not everything below /vm can be read
folder|/vm/sub|5 of 5|^1 name not copied: what it stands for cannot be read, see above
file|/vm/web|5 of 6|^1 name not copied: what it stands for
link|/vm/link|6 of 6|^1 name not copied: what it stands for
raw|/vm/raw|6 of 6|^1 name not copied: what it stands for
END
gap system "$(fd /.vh.sf)" 512
rm -rf tree*
exits "a system file that is not asked for" 1 "$VMFSKIT" cp -r --mapfile system d.img / tree
hasnt "is not missed" "$ERR" 'NOT copied'
exits "one that is asked for" 4 "$VMFSKIT" cp -ra --mapfile system d.img / all
has "is" "$ERR" '/.vh.sf is NOT copied'
