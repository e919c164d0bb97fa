"""Pictures as a screen shows them: deinterlaced, with square pixels, turned upright. Others pass untouched."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av import VideoFormat, VideoFrame
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as AllOut
from av.filter import Graph

_TURNS = {-90: ("transpose", "clock"), 90: ("transpose", "cclock")}


@dataclass(frozen=True)
class Shape:
    """What decides how a picture is made upright.

    Attributes:
        size, pixels: as decoded.
        turned: degrees counter-clockwise, as the display matrix says.
        interlaced: two fields of different times woven together.
    """

    size: tuple[int, int]
    pixels: str
    turned: int
    interlaced: bool


class Upright:
    """Takes pictures with their times, gives them upright; FFmpeg's own filters do the work.

    Args:
        pixel_aspect: width of a pixel over its height; None is square.

    Attributes:
        was_interlaced: whether any picture was.
    """

    def __init__(self, pixel_aspect: Fraction | None) -> None:
        self.pixel_aspect = pixel_aspect or Fraction(1)
        self.was_interlaced = False
        self._shape: Shape | None = None
        self._graph: Graph | None = None
        self._times: deque[float] = deque()

    def take(self, time_s: float, frame: VideoFrame) -> Iterator[tuple[float, VideoFrame]]:
        """Pictures that are ready once this one is there."""
        self.was_interlaced |= frame.interlaced_frame
        turned = round(frame.rotation / 90) * 90
        shape = Shape((frame.width, frame.height), frame.format.name, turned, self.was_interlaced)
        if shape != self._shape:
            yield from self.rest()
            self._shape, self._graph = shape, self._built(shape)
        if self._graph is None:
            yield time_s, frame
            return
        self._times.append(time_s)
        frame.pts = None
        self._graph.push(frame)
        yield from self._pulled()

    def rest(self) -> Iterator[tuple[float, VideoFrame]]:
        """What is still inside."""
        if self._graph is not None and self._times:
            self._graph.push(None)
            yield from self._pulled()
        self._graph, self._shape = None, None
        self._times.clear()

    def _pulled(self) -> Iterator[tuple[float, VideoFrame]]:
        assert self._graph is not None
        while self._times:
            try:
                frame = self._graph.vpull()
            except (NothingYet, AllOut):
                return
            yield self._times.popleft(), frame

    def _built(self, shape: Shape) -> Graph | None:
        width, height = shape.size
        steps = [("bwdif", "mode=send_frame:deint=interlaced")] if shape.interlaced else []
        if self.pixel_aspect != 1:
            steps += [("scale", f"{max(2, round(width * self.pixel_aspect / 2) * 2)}:{height}"), ("setsar", "1")]
        if shape.turned in _TURNS:
            steps.append(_TURNS[shape.turned])
        elif abs(shape.turned) == 180:
            steps += [("hflip", ""), ("vflip", "")]
        if not steps:
            return None
        graph = Graph()
        node = graph.add_buffer(width=width, height=height, format=VideoFormat(shape.pixels), time_base=Fraction(1, 25))
        for name, arguments in [*steps, ("buffersink", "")]:
            following = graph.add(name, arguments)
            node.link_to(following)
            node = following
        graph.configure()
        return graph
